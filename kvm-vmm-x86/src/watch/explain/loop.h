/* The loop in which a guest runs: found in a sequence of instruction addresses. */
#ifndef EXPLAIN_LOOP_H
#define EXPLAIN_LOOP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/address.h"

struct loop {
    bool found;          /* the same few instructions again and again */
    gva_t hot;           /* the one executed most often; of several the lowest */
    gva_t low, high;     /* the loop's first and last instruction */
    size_t instructions; /* different ones in it */
    size_t times;        /* how often `hot` was seen */
    size_t samples;      /* of how many */
};

/* Sorts `addresses`. */
struct loop loop_find(gva_t *addresses, size_t count);

#endif
