/* The second run; see replay.h. */
#include "watch/postmortem/replay.h"

#include <string.h>

#include "host/kvm_debug.h"
#include "watch/postmortem/recording.h"
#include "watch/postmortem/tripwire.h"
#include "watch/postmortem/worker.h"

enum { LIMIT_MS = 10000, STEPS_MAX = 400000 };

struct run {
    const struct vm *vm; /* that shut down */
    struct vcpu *vcpu;   /* of its double */
    const struct memory *memory;
    struct replay *replay;
    struct tripwires wires;
};

/* Both parts of the state come with each exit: no further calls. */
static void take_state(struct run *r)
{
    const struct kvm_run *run = r->vcpu->cpu.run;

    r->replay->snapshot.regs = run->s.regs.regs;
    r->replay->snapshot.sregs = run->s.regs.sregs;
}

/* Up to the last exit before the shutdown: each is answered as it was. */
static bool repeat_exits(struct run *r, const struct worker *worker)
{
    const struct vcpu *dead = &r->vm->vcpus[0];
    struct kvm_run *run = r->vcpu->cpu.run;
    uint64_t wanted = dead->stats.exits - 1;
    size_t at = 0;

    while (r->replay->exits < wanted) {
        if (!worker_enter(worker))
            return false;
        if (run->exit_reason == KVM_EXIT_SHUTDOWN || !recording_play(&dead->recording, &at, run)) {
            r->replay->result = REPLAY_DIVERGED;
            return false;
        }
        r->replay->exits++;
    }
    if (wanted > 0 && memcmp(&run->s.regs.regs, &dead->last_regs, sizeof dead->last_regs) != 0) {
        r->replay->result = REPLAY_DIVERGED;
        return false;
    }
    return true;
}

/* Lets KVM finish the last exit's instruction, and reads the state from which steps begin. */
static bool begin_steps(struct run *r)
{
    struct kvm_run *run = r->vcpu->cpu.run;

    if (kvm_finish_exit(&r->vcpu->cpu) == 0) /* it came back with another exit */
        return false;
    return kvm_read_registers(&r->vcpu->cpu, &run->s.regs.regs, &run->s.regs.sregs, NULL) == 0;
}

/* A tripwire came back: the vCPU stands in the handler's second instruction, as it were. */
static bool enter_handler(struct run *r, const struct tripwire *wire)
{
    struct kvm_run *run = r->vcpu->cpu.run;
    struct kvm_regs regs;

    if (kvm_finish_exit(&r->vcpu->cpu) == 0 ||
        kvm_read_registers(&r->vcpu->cpu, &regs, &run->s.regs.sregs, NULL) < 0)
        return false;
    regs.rip = wire->offset;
    r->replay->handlers++;
    r->replay->handling = (int)wire->vector;
    return kvm_write_general(&r->vcpu->cpu, &regs) == 0;
}

/* One instruction. True: go on. */
static bool step(struct run *r, const struct worker *worker)
{
    static const uint64_t no_addresses[4];
    struct kvm_run *run = r->vcpu->cpu.run;
    const struct tripwire *hit = NULL;
    bool entered;

    take_state(r);
    tripwires_lay(&r->wires, &r->replay->snapshot, r->memory);
    entered = kvm_set_guest_debug(&r->vcpu->cpu, KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP,
                                  no_addresses, 0) == 0 &&
              worker_enter(worker);
    if (entered && run->exit_reason == KVM_EXIT_IO && run->io.port == TRIPWIRE_PORT)
        hit = tripwires_find(&r->wires, run->s.regs.regs.rip);
    tripwires_lift(&r->wires);
    if (!entered)
        return false;
    if (run->exit_reason == KVM_EXIT_SHUTDOWN) {
        r->replay->result = REPLAY_FOUND;
        return false;
    }
    r->replay->steps++;
    r->replay->handling = -1;
    if (hit != NULL)
        return enter_handler(r, hit);
    if (run->exit_reason == KVM_EXIT_DEBUG)
        return r->replay->steps < STEPS_MAX;
    r->replay->result = REPLAY_DIVERGED;
    return false;
}

static void work(struct worker *worker)
{
    struct run *r = worker->context;

    if (!repeat_exits(r, worker) || !begin_steps(r))
        return;
    while (step(r, worker))
        ;
}

void replay_run(const struct vm *vm, struct vm *made, struct replay *replay)
{
    static struct run r;
    struct worker worker = {.vcpu = &made->vcpus[0], .work = work, .context = &r};

    *replay = (struct replay){.result = REPLAY_TOO_LONG, .handling = -1};
    replay->snapshot.address_bits = vm->address_bits;
    r = (struct run){.vm = vm, .vcpu = &made->vcpus[0], .memory = &made->memory, .replay = replay};
    made->vcpus[0].cpu.run->kvm_valid_regs = KVM_SYNC_X86_REGS | KVM_SYNC_X86_SREGS;
    worker_run(&worker, LIMIT_MS);
}
