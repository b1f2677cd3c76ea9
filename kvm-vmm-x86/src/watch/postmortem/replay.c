/* The second run; see replay.h. */
#include "watch/postmortem/replay.h"

#include <string.h>

#include "vm/deck.h"
#include "watch/travel/stepper.h"

enum { LIMIT_MS = 10000, STEPS_MAX = 400000 };

/* Repeats the run up to the last exit before the shutdown. */
static bool repeat_exits(struct stepper *s, const struct vcpu *dead, struct replay *replay)
{
    struct kvm_run *run = s->vcpu->cpu.run;
    uint64_t wanted = dead->recorded - 1;
    enum stepper_result result;

    while (replay->exits < wanted) {
        result = stepper_run(s);
        if (result == STEPPER_LOST)
            return false;
        if (result != STEPPER_DONE) {
            replay->result = REPLAY_DIVERGED;
            return false;
        }
        replay->exits++;
    }
    if (wanted > 0 && dead->keeps_regs &&
        memcmp(&run->s.regs.regs, &dead->last_regs, sizeof dead->last_regs) != 0) {
        replay->result = REPLAY_DIVERGED;
        return false;
    }
    return true;
}

/* True: continue stepping. */
static bool step(struct stepper *s, struct replay *replay)
{
    int handling = s->handling;
    enum stepper_result result = stepper_step(s);

    replay->snapshot = s->before;
    replay->steps = s->steps;
    replay->handlers = s->handled;
    if (result == STEPPER_DONE)
        return s->steps < STEPS_MAX;
    if (result == STEPPER_LOST)
        return false;
    replay->handling = handling;
    replay->result =
        s->vcpu->cpu.run->exit_reason == KVM_EXIT_SHUTDOWN ? REPLAY_FOUND : REPLAY_DIVERGED;
    return false;
}

void replay_run(struct worker *worker, const struct vm *vm, struct vm *made, struct replay *replay)
{
    static struct stepper s;

    worker_limit(worker, LIMIT_MS);
    *replay = (struct replay){.result = REPLAY_TOO_LONG, .handling = -1};
    stepper_init(&s, worker, &made->vcpus[0]);
    replay->snapshot = s.before;
    deck_attach(&made->vcpus[0]);
    if (repeat_exits(&s, &vm->vcpus[0], replay) && stepper_begin(&s) == STEPPER_DONE)
        while (step(&s, replay))
            ;
    deck_attach(NULL);
}
