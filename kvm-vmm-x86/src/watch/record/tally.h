/*
 * Exits counted by where in the guest they came from, for as long as it runs: a table of fixed
 * size, by instruction. Written by the vCPU's thread alone, read when it has ended.
 */
#ifndef LOG_TALLY_H
#define LOG_TALLY_H

#include <stdint.h>

#include "base/error.h"

/* Instructions told apart. A Linux kernel exits from some hundreds; what finds no place is counted
 * as `elsewhere`. */
enum { LOG_TALLY_PLACES = 2048, LOG_TALLY_PROBES = 16 };

struct log_place {
    uint64_t rip;
    uint64_t count; /* 0: the place is free */
    uint64_t cost;  /* cycles */
};

struct log_tally {
    struct log_place *places; /* LOG_TALLY_PLACES; NULL: nothing is counted */
    struct log_place elsewhere;
};

int log_tally_create(struct log_tally *tally, struct error *error) MUST_CHECK;
void log_tally_destroy(struct log_tally *tally);

/* Counts one exit of `cost` cycles. */
void log_tally_add(struct log_tally *tally, uint64_t rip, uint64_t cost);

/* Adds `count` exits at once: to sum up several tallies, or to fold places into functions. */
void log_tally_merge(struct log_tally *tally, const struct log_place *place);

/* Orders the places by count, the largest first; returns how many there are. The end of counting.
 */
unsigned log_tally_sort(struct log_tally *tally);

#endif
