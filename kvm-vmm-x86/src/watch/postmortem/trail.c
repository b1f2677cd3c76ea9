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

static void add(void *state, struct vcpu *vcpu, const struct exit_record *record, bool ended)
{
    struct trail *trail = state;

    if (ended)
        return;
    trail->last_regs = vcpu->cpu.run->s.regs.regs;
    if (!trail->records)
        return;
    if (exit_record_asks(record) || vcpu->cpu.run->kvm_dirty_regs != 0)
        recording_add(&trail->recording, vcpu->cpu.run);
    else
        trail->recording.silent++;
}

const struct observer trail_observer = {
    .name = "trail", .vcpu_made = make, .vcpu_gone = release, .after_exit = add};

const struct trail *trail_of(const struct vcpu *vcpu)
{
    static const struct trail none;
    const struct trail *trail = observers_state(vcpu, &trail_observer);

    return trail != NULL ? trail : &none;
}
