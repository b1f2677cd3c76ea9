/* Reads small files of a folder as a whole: what is used is what was looked at. */
#ifndef HOST_FILES_FOLDER_READ_H
#define HOST_FILES_FOLDER_READ_H

#include "host/files/folder.h"

/* What PATH/NAME has, a plain file of at most `limit` bytes, with a byte more behind it; free() is
 * for the caller. NULL: `error` says why. */
char *folder_read(const char *path, const char *name, uint64_t limit, size_t *size,
                  struct error *error) MUST_CHECK;

#endif
