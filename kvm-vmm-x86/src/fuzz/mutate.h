/* Inputs made from others: the same ones for the same seed. Pure. */
#ifndef FUZZ_MUTATE_H
#define FUZZ_MUTATE_H

#include <stddef.h>
#include <stdint.h>

enum { MUTATE_VALUES_MAX = 4096, MUTATE_INPUT_MAX = 64 * 1024 };

struct mutate {
    uint64_t state; /* of the generator */
    size_t most;    /* bytes of an input, MUTATE_INPUT_MAX at most */
    /* Values that the guest's code compares with, and how many bytes they have. */
    uint64_t values[MUTATE_VALUES_MAX];
    uint8_t sizes[MUTATE_VALUES_MAX];
    unsigned value_count;
};

void mutate_init(struct mutate *m, uint64_t seed, size_t most);
/* Adds a value of 1, 2, 4 or 8 bytes, unless it is there already or the table is full. */
void mutate_add_value(struct mutate *m, uint64_t value, unsigned size);
/* A number below `limit`, which is not 0. */
uint64_t mutate_below(struct mutate *m, uint64_t limit);
/* Changes an input in place, a few times; `bytes` has room for m->most. `other` is spliced in now
 * and then. Returns its new size, which may be 0. */
size_t mutate_input(struct mutate *m, uint8_t *bytes, size_t size, const uint8_t *other,
                    size_t other_size);

#endif
