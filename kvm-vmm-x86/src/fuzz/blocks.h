/*
 * The basic blocks of a guest's code that direct jumps and calls reach from its RIP; code reached
 * only through a pointer is not found. Also the values that the code compares with.
 */
#ifndef FUZZ_BLOCKS_H
#define FUZZ_BLOCKS_H

#include "base/error.h"
#include "fuzz/mutate.h"
#include "watch/explain/snapshot.h"

enum { BLOCKS_MAX = 32768 };

struct blocks {
    gva_t *list; /* where they begin, in ascending order */
    size_t count;
    bool cut; /* the search ended at BLOCKS_MAX */
};

/* The values go to `values`. A block of one byte is left out, as no breakpoint fits (kvmvmm.h), and
 * so is one that begins inside another instruction. */
int blocks_find(struct blocks *blocks, const struct snapshot *s, struct mutate *values,
                struct error *error) MUST_CHECK;
void blocks_release(struct blocks *blocks);

#endif
