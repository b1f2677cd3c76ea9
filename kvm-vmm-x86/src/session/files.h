/* The files of a run: those that it writes must not be those that it reads, since it would empty
 * its own image; its guests' disks; and a limit to the time in which they are read. */
#ifndef SESSION_FILES_H
#define SESSION_FILES_H

#include "host/threads.h"
#include "options/options.h"

/* Before any file is opened for writing. Until session_files_are_read, --timeout ends the program
 * even if the main thread hangs in a disk that does not answer. */
int session_files_check(const struct options *options, struct error *error) MUST_CHECK;
void session_files_are_read(void);

/* Opens the disks, networks and shared folders of all guests and makes their consoles' channels. A
 * guest that starts again finds them as it left them; the end of the program closes them. `guests`
 * becomes the options' guests with these. */
int session_files_open(const struct options *options, struct guest_config guests[GUESTS_MAX],
                       struct error *error) MUST_CHECK;

/* Closes and removes their sockets, once no guest exists any more. */
void session_files_close(const struct options *options, struct guest_config guests[GUESTS_MAX]);

#endif
