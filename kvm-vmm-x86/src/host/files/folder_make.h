/* Makes a folder that is there as a whole or not at all, and its files, which another program may
 * write (folder.h). For a program with one thread. */
#ifndef HOST_FILES_FOLDER_MAKE_H
#define HOST_FILES_FOLDER_MAKE_H

#include "host/files/folder.h"

/* Makes PATH.tmp with files of those names; refused if PATH is there. One folder at a time: until
 * it is committed or abandoned, a signal that ends the program removes it. */
int folder_make(const char *path, struct folder_files *files, struct error *error) MUST_CHECK;
/* Removes the files for which `is_used` is false, writes the others to the disk, and renames the
 * folder to PATH; whether the name survives a power cut depends on the file system. On an error the
 * folder is abandoned. */
int folder_commit(bool (*is_used)(void *context, const char *name), void *context,
                  struct error *error) MUST_CHECK;
void folder_abandon(void);

#endif
