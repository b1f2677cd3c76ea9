/* Reads small files of a folder as a whole, so that the checked bytes are those that are used. */
#ifndef HOST_FILES_FOLDER_READ_H
#define HOST_FILES_FOLDER_READ_H

#include "host/files/folder.h"

/* The contents of PATH/NAME, a plain file of at most `limit` bytes, in memory with one byte more;
 * the caller frees it. NULL: `error` says why. */
char *folder_read(const char *path, const char *name, uint64_t limit, size_t *size,
                  struct error *error) MUST_CHECK;

#endif
