/*
 * What a guest was given from outside, exit by exit: enough to run it again and have it do the
 * same. A byte an exit, more only where it read something; after RECORDING_MAX bytes it gives up,
 * and all that is lost is the second run. Pure.
 */
#ifndef POSTMORTEM_RECORDING_H
#define POSTMORTEM_RECORDING_H

#include <stdbool.h>
#include <stddef.h>

#include "base/regs.h"

#define RECORDING_MAX (8u << 20)

struct recording {
    uint8_t *bytes;
    size_t used, size;
    bool lost; /* too long, or no memory */
};

/* An exit that gave the guest nothing, as nearly all do; false if there is no room for it at once:
 * recording_add makes some. */
static inline bool recording_add_nothing(struct recording *recording)
{
    if (recording->used == recording->size)
        return false;
    recording->bytes[recording->used++] = 0;
    return true;
}
/* The exit in `run` as it goes back into the guest: answers filled in, registers changed. */
void recording_add(struct recording *recording, const struct kvm_run *run);
void recording_release(struct recording *recording);

/* Gives the exit in `run` what the exit at `*at` was given, and moves `*at` on; false if it is
 * another kind of exit, or none is left. */
bool recording_play(const struct recording *recording, size_t *at, struct kvm_run *run);

#endif
