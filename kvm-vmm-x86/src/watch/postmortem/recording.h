/*
 * What a guest was given from outside, exit by exit: enough to run it again and have it do the
 * same. Exits that gave it nothing are only counted; after RECORDING_MAX bytes of others it gives
 * up, and all that is lost is the second run. Pure.
 */
#ifndef POSTMORTEM_RECORDING_H
#define POSTMORTEM_RECORDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/regs.h"

#define RECORDING_MAX (8u << 20)

struct recording {
    uint8_t *bytes;
    size_t used, size;
    uint64_t silent; /* exits since the last one in `bytes`; they gave the guest nothing */
    bool lost;       /* too long, or no memory */
};

/* How far it was played; {0} at first. */
struct recording_place {
    size_t at;
    uint64_t silent; /* such exits since the one before `at` */
};

/* The exit in `run` as it goes back into the guest: answers filled in, registers changed. */
void recording_add(struct recording *recording, const struct kvm_run *run);
void recording_release(struct recording *recording);

/* Gives the exit in `run` what the exit at `place` was given, and moves that on; false if it is
 * another kind of exit, or none is left. */
bool recording_play(const struct recording *recording, struct recording_place *place,
                    struct kvm_run *run);

#endif
