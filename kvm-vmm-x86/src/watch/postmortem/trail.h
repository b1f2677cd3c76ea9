/*
 * The trail of a vCPU: its last exits, the registers it went on with, and what it was given. All
 * that a postmortem wants to know of exits that are over. Kept for every guest: it costs little
 * beside an exit.
 */
#ifndef POSTMORTEM_TRAIL_H
#define POSTMORTEM_TRAIL_H

#include "vm/vm.h"
#include "watch/postmortem/recording.h"

enum { TRAIL_EXITS = 8 };

struct trail {
    uint64_t count;                             /* exits seen */
    struct exit_record last_exits[TRAIL_EXITS]; /* exit N stands at (N - 1) % TRAIL_EXITS */
    struct kvm_regs last_regs;  /* as they went back into the guest after the last exit */
    struct recording recording; /* for a second run, should it shut down */
    bool records; /* a second run is only like the first if nothing but its exits decided it */
};

extern const struct observer trail_observer; /* without a context */

/* The trail of a vCPU; one without exits if none was kept. */
const struct trail *trail_of(const struct vcpu *vcpu);

#endif
