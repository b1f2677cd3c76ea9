/*
 * fsck: checks the file system of a disk image, and prints its figures. Changes nothing.
 * Transactions in the log count as done, since the next mount completes them.
 *
 *   fsck IMAGE      status 0: whole; 1: damaged, a line for each breach; 2: it cannot be read
 */
#include <stdio.h>

#include "check.h"
#include "image.h"

static void report(const char *line)
{
    printf("fsck: %s\n", line);
}

int main(int argc, char **argv)
{
    struct check_result result;
    struct image image;

    if (argc != 2) {
        fputs("usage: fsck IMAGE\n", stderr);
        return 2;
    }
    if (!image_open("fsck", argv[1], &image))
        return 2;
    result = check_image(image.bytes + image.at, image.size, report);
    if (result.errors > CHECK_LINES_MAX)
        printf("fsck: and %u more\n", result.errors - CHECK_LINES_MAX);
    printf(
        "%s: %s: %u files, %u directories, %u devices, %u without a name; %u of %u blocks used\n",
        argv[1], result.errors == 0 ? "whole" : "DAMAGED", result.files, result.directories,
        result.devices, result.orphans, result.used_blocks, result.blocks);
    return result.errors == 0 ? 0 : 1;
}
