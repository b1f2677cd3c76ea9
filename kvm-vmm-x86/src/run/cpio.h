/* An initial ramdisk, or a part of one, in memory: a cpio archive of the kind that Linux unpacks
 * (newc: Documentation/driver-api/early-userspace/buffer-format). */
#ifndef RUN_CPIO_H
#define RUN_CPIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cpio {
    uint8_t *bytes; /* malloc */
    size_t size, room;
    unsigned inode;
    bool failed; /* out of memory: what follows is left out */
};

/* A path has no slash in front; its folders come before it. */
void cpio_folder(struct cpio *cpio, const char *path);
void cpio_file(struct cpio *cpio, const char *path, unsigned mode, const void *bytes, size_t size);
void cpio_device(struct cpio *cpio, const char *path, unsigned major, unsigned minor);
void cpio_end(struct cpio *cpio);

#endif
