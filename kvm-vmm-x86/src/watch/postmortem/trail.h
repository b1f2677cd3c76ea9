/*
 * The trail of a vCPU: what it was given. With what the core keeps of the last exits it is all that
 * a postmortem wants to know of exits that are over. Kept for every guest: it costs nothing at an
 * exit that gives the guest nothing.
 */
#ifndef POSTMORTEM_TRAIL_H
#define POSTMORTEM_TRAIL_H

#include "vm/vm.h"
#include "watch/postmortem/recording.h"

struct trail {
    struct recording recording; /* for a second run, should it shut down */
    uint64_t answered;          /* the number of the last exit in it */
    bool records; /* a second run is only like the first if nothing but its exits decided it */
};

extern const struct observer trail_observer; /* without a context */

/* The trail of a vCPU that has ended; one without exits if none was kept. */
const struct trail *trail_of(const struct vcpu *vcpu);

#endif
