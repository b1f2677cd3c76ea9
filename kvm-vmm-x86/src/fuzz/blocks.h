/*
 * The basic blocks of a guest's code, as far as direct jumps and calls lead from where it stands:
 * what is reached by a pointer alone is not found. And the values that the code compares with.
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
    bool cut; /* there is more code than was walked along (BLOCKS_MAX) */
};

/* The values go to `values`. A block of one byte is left out, as no breakpoint fits (kvmvmm.h), and
 * so is one that begins inside another instruction. */
int blocks_find(struct blocks *blocks, const struct snapshot *s, struct mutate *values,
                struct error *error) MUST_CHECK;
void blocks_release(struct blocks *blocks);

#endif
