/* The output of a guest while it is not in front: its last few KiB, or a line that is not complete
 * yet. */
#ifndef DEV_SCREEN_H
#define DEV_SCREEN_H

#include "lib/types.h"

enum { SCREEN_SIZE = 8192, SCREEN_LINE = 256 };

struct screen {
    char kept[SCREEN_SIZE]; /* a ring of what was not shown */
    size_t start, count;
    uint64_t lost; /* bytes that the ring had no room for */
    char line[SCREEN_LINE];
    size_t line_used;
};

#endif
