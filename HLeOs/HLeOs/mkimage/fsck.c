/*
 * fsck: says whether the file system of a disk image is whole, and what is in it. Changes nothing;
 * what the log holds counts as done, as the next mount does it.
 *
 *   fsck IMAGE      status 0: whole; 1: damaged, a line for each breach; 2: it cannot be read
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "HLeOs/HLeOs/boot/layout.h"
#include "abi/hleos_fs.h"
#include "check.h"

struct region {
    size_t at, size;
};

static uint32_t get_u32(const unsigned char *at)
{
    return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

/* The partition of our type, or the whole image if it has no partition table. */
static struct region find(const unsigned char *image, size_t size)
{
    struct region whole = {0, size};

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
        return (struct region){first, bytes < size - first ? bytes : size - first};
    }
    return (struct region){0, 0};
}

static void report(const char *line)
{
    printf("fsck: %s\n", line);
}

int main(int argc, char **argv)
{
    struct check_result result;
    struct region region;
    unsigned char *image;
    struct stat st;
    int file;

    if (argc != 2) {
        fputs("usage: fsck IMAGE\n", stderr);
        return 2;
    }
    file = open(argv[1], O_RDONLY | O_CLOEXEC);
    if (file < 0 || fstat(file, &st) != 0) {
        fprintf(stderr, "fsck: %s: %s\n", argv[1], strerror(errno));
        return 2;
    }
    image = st.st_size > 0 ? mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, file, 0)
                           : MAP_FAILED;
    if (image == MAP_FAILED) {
        fprintf(stderr, "fsck: %s: cannot be read\n", argv[1]);
        return 2;
    }
    region = find(image, (size_t)st.st_size);
    if (region.size == 0) {
        fprintf(stderr, "fsck: %s: no partition of type %02x\n", argv[1], HLEOS_FS_PARTITION);
        return 2;
    }
    result = check_image(image + region.at, region.size, report);
    if (result.errors > CHECK_LINES_MAX)
        printf("fsck: and %u more\n", result.errors - CHECK_LINES_MAX);
    printf(
        "%s: %s: %u files, %u directories, %u devices, %u without a name; %u of %u blocks used\n",
        argv[1], result.errors == 0 ? "whole" : "DAMAGED", result.files, result.directories,
        result.devices, result.orphans, result.used_blocks, result.blocks);
    return result.errors == 0 ? 0 : 1;
}
