/* The archive of programs and files that the Makefile puts into the image: POSIX ustar. */
#ifndef KERNEL_FILE_TAR_H
#define KERNEL_FILE_TAR_H

#include <stdbool.h>
#include <stdint.h>

struct tar_entry {
    const char *name; /* ends with a zero within its field, or the entry is not returned */
    const uint8_t *bytes;
    uint32_t size;
};

/* Finds the next ordinary file at or after `*position`, which starts at 0, and moves it on. */
bool tar_next(const uint8_t *archive, uint32_t length, uint32_t *position, struct tar_entry *entry);

#endif
