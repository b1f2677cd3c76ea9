/* Finds the file system in a disk image; see image.h. */
#include "image.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "HLeOs/HLeOs/boot/layout.h"
#include "abi/hleos_fs.h"

static uint32_t get_u32(const unsigned char *at)
{
    return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

/* The partition of our type, or the whole image if it has no partition table. */
static struct image find(unsigned char *image, size_t size)
{
    struct image whole = {image, 0, size};

    if (size < SECTOR_SIZE || image[510] != 0x55 || image[511] != 0xaa)
        return whole;
    for (int i = 0; i < 4; i++) {
        const unsigned char *entry = image + PARTITION_OFFSET + i * 16;
        size_t first = (size_t)get_u32(entry + 8) * SECTOR_SIZE;
        size_t bytes = (size_t)get_u32(entry + 12) * SECTOR_SIZE;

        if (entry[4] != HLEOS_FS_PARTITION)
            continue;
        if (first > size)
            first = size;
        return (struct image){image, first, bytes < size - first ? bytes : size - first};
    }
    return (struct image){image, 0, 0};
}

bool image_open(const char *who, const char *path, struct image *image)
{
    struct stat st;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    unsigned char *bytes;

    if (file < 0 || fstat(file, &st) != 0) {
        fprintf(stderr, "%s: %s: %s\n", who, path, strerror(errno));
        return false;
    }
    bytes = st.st_size > 0
                ? mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0)
                : MAP_FAILED;
    if (bytes == MAP_FAILED) {
        fprintf(stderr, "%s: %s: cannot be read\n", who, path);
        return false;
    }
    *image = find(bytes, (size_t)st.st_size);
    if (image->size == 0)
        fprintf(stderr, "%s: %s: no partition of type %02x\n", who, path, HLEOS_FS_PARTITION);
    return image->size > 0;
}
