/*
 * The trail of a vCPU: the registers it went on with, and what it was given. With the core's record
 * of the last exits it is all that a postmortem wants to know of exits that are over. Kept for
 * every guest: it costs little beside an exit.
 */
#ifndef POSTMORTEM_TRAIL_H
#define POSTMORTEM_TRAIL_H

#include "vm/vm.h"
#include "watch/postmortem/recording.h"

struct trail {
    struct kvm_regs last_regs;  /* as they went back into the guest after the last exit */
    struct recording recording; /* for a second run, should it shut down */
    bool records; /* a second run is only like the first if nothing but its exits decided it */
};

extern const struct observer trail_observer; /* without a context */

/* The trail of a vCPU; one without exits if none was kept. */
const struct trail *trail_of(const struct vcpu *vcpu);

#endif
