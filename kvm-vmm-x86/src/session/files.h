/* The files of a run: those that it writes must not be those that it reads, since it would empty
 * its own image; its guests' disks; and a limit to the time in which they are read. */
#ifndef SESSION_FILES_H
#define SESSION_FILES_H

#include "host/threads.h"
#include "options/options.h"

/* Before any file is opened for writing. From now on --timeout ends the program where a disk does
 * not answer as well, and the main thread hangs with it: until session_files_are_read. */
int session_files_check(const struct options *options, struct error *error) MUST_CHECK;
void session_files_are_read(void);

/* Opens the disks, networks and shared folders of all guests and makes their consoles' channels,
 * for all their lives: one that starts again finds them as it left them. The end of the program
 * closes them. `guests` are the options' with those. */
int session_files_open(const struct options *options, struct guest_config guests[GUESTS_MAX],
                       struct error *error) MUST_CHECK;

/* Of those what others would find: sockets. No guest is there any more. */
void session_files_close(const struct options *options, struct guest_config guests[GUESTS_MAX]);

#endif
