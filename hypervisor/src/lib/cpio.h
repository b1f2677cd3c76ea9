/* Finds files in a cpio archive of the "newc" kind (Linux's
 * Documentation/driver-api/early-userspace/ buffer-format). The archive may lie; nothing outside it
 * is touched. Pure. */
#ifndef LIB_CPIO_H
#define LIB_CPIO_H

#include "lib/types.h"

struct cpio_file {
    const char *name; /* without a leading "./" */
    const uint8_t *data;
    size_t size;
};

bool cpio_is_archive(const void *bytes, size_t size);
/* Reads the member at *offset and moves on; false at the end or at the first thing that is wrong.
 */
bool cpio_next(const void *bytes, size_t size, size_t *offset, struct cpio_file *file);
bool cpio_find(const void *bytes, size_t size, const char *name, struct cpio_file *file);

#endif
