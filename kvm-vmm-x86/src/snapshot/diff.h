/* What differs between two snapshots of one machine. */
#ifndef SNAPSHOT_DIFF_H
#define SNAPSHOT_DIFF_H

#include "snapshot/still.h"

/* Prints it: pages of memory with the symbols that differ in them (by the names of `a`), records of
 * state, and disks. -1: they are not of one machine. */
int snapshot_diff_print(const struct snapshot_still *a, const struct snapshot_still *b,
                        struct error *error) MUST_CHECK;

#endif
