/* The file system of a disk image, in memory: writes to it stay there. */
#ifndef MKIMAGE_IMAGE_H
#define MKIMAGE_IMAGE_H

#include <stdbool.h>
#include <stddef.h>

struct image {
    unsigned char *bytes; /* of the whole file */
    size_t at, size; /* the partition of HLeOs' type; all of it if there is no partition table */
};

/* False after a line on standard error, which begins with `who`. */
bool image_open(const char *who, const char *path, struct image *image);

#endif
