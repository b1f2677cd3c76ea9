/* What is kept of each exit for a postmortem; see trail.h. */
#include "watch/postmortem/trail.h"

#include <stdlib.h>

static int make(void *context, struct vcpu *vcpu, void **state, struct error *error)
{
    struct trail *trail = calloc(1, sizeof *trail);

    (void)context;
    *state = trail;
    if (trail == NULL)
        return error_set(error, "out of memory");
    trail->records = vcpu->vm->vcpu_count == 1 && vcpu->vm->mode < MODE_LINUX;
    return 0;
}

static void release(void *state)
{
    struct trail *trail = state;

    recording_release(&trail->recording);
    free(trail);
}

static void add(void *state, struct vcpu *vcpu)
{
    struct trail *trail = state;

    if (!trail->records)
        return;
    trail->recording.silent = vcpu->recorded - 1 - trail->answered;
    trail->answered = vcpu->recorded;
    recording_add(&trail->recording, vcpu->cpu.run);
}

const struct observer trail_observer = {
    .name = "trail", .vcpu_made = make, .vcpu_gone = release, .answered = add};

const struct trail *trail_of(const struct vcpu *vcpu)
{
    static const struct trail none;
    struct trail *trail = observers_state(vcpu, &trail_observer);

    if (trail == NULL)
        return &none;
    trail->recording.silent = vcpu->recorded - trail->answered;
    return trail;
}
