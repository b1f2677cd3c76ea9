/* Checks all invariants of abi/hleos_fs.h in a file system in memory. */
#ifndef MKIMAGE_CHECK_H
#define MKIMAGE_CHECK_H

#include <stddef.h>
#include <stdint.h>

struct check_result {
    unsigned errors;
    uint32_t files, directories, devices, orphans; /* orphans: no name, not yet freed: no error */
    uint32_t blocks, used_blocks;
};

/* First replays the log in memory. Reports each violation as a line to `report`, at most
 * CHECK_LINES_MAX of them. */
enum { CHECK_LINES_MAX = 50 };
struct check_result check_image(const void *bytes, size_t size, void (*report)(const char *line));

#endif
