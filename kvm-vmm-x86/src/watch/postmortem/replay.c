/* The second run; see replay.h. */
#include "watch/postmortem/replay.h"

#include <string.h>

#include "host/kvm_debug.h"
#include "watch/explain/fault/raise.h"
#include "watch/explain/walk.h"
#include "watch/gdb/handlers.h"
#include "watch/postmortem/trail.h"

enum { LIMIT_MS = 10000, STEPS_MAX = 400000, TABLE_MAX = 4096 };

/* What the handlers were found with. */
struct table {
    struct kvm_dtable idt;
    uint64_t cr0, cr3;
    uint8_t bytes[TABLE_MAX];
    size_t size;
};

struct run {
    struct worker *worker;
    const struct vm *vm; /* that shut down */
    struct vcpu *vcpu;   /* of its double */
    struct replay *replay;
    struct table table;
    struct handlers handlers;
    struct traps traps;
};

/* Both parts of the state come with each exit: no further calls. */
static struct snapshot state_of(const struct run *r)
{
    struct snapshot s = r->replay->snapshot;

    s.regs = r->vcpu->cpu.run->s.regs.regs;
    s.sregs = r->vcpu->cpu.run->s.regs.sregs;
    return s;
}

/* Up to the last exit before the shutdown: each is answered as it was. */
static bool repeat_exits(struct run *r)
{
    const struct vcpu *dead = &r->vm->vcpus[0];
    const struct trail *trail = trail_of(dead);
    struct kvm_run *run = r->vcpu->cpu.run;
    uint64_t wanted = dead->stats.exits - 1;
    struct recording_place place = {0};

    while (r->replay->exits < wanted) {
        if (!worker_enter(r->worker, r->vcpu))
            return false;
        if (run->exit_reason == KVM_EXIT_SHUTDOWN ||
            !recording_play(&trail->recording, &place, run)) {
            r->replay->result = REPLAY_DIVERGED;
            return false;
        }
        r->replay->exits++;
    }
    if (wanted > 0 && dead->keeps_regs &&
        memcmp(&run->s.regs.regs, &dead->last_regs, sizeof dead->last_regs) != 0) {
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

/* Handlers are looked for again only when the table is another one or holds something else. In real
 * mode it is full of whatever is in memory there, so that only the vector which the next
 * instruction raises counts. */
static void find_handlers(struct run *r, const struct exception *next)
{
    const struct snapshot *s = &r->replay->snapshot;
    size_t size = (size_t)s->sregs.idt.limit + 1;
    struct table now = {.idt = s->sregs.idt, .cr0 = s->sregs.cr0, .cr3 = s->sregs.cr3};

    if (s->sregs.cr0 & CR0_PE) {
        now.size = walk_read(s, now.idt.base, now.bytes,
                             size < sizeof now.bytes ? size : sizeof now.bytes);
        if (now.idt.base == r->table.idt.base && now.idt.limit == r->table.idt.limit &&
            now.cr0 == r->table.cr0 && now.cr3 == r->table.cr3 && now.size == r->table.size &&
            memcmp(now.bytes, r->table.bytes, now.size) == 0)
            return;
    }
    r->table = now;
    r->handlers.count = 0;
    if (s->sregs.cr0 & CR0_PE)
        handlers_add(&r->handlers, s);
    else if (next->vector != EXCEPTION_NONE)
        handlers_add_vector(&r->handlers, s, (unsigned)next->vector);
}

/* A step over an instruction that faults goes into its handler and on at full speed, for the CPU
 * clears the trap flag there: so each handler begins with a trap, for the time of the step. The
 * instruction that is stepped over stays as it is. */
static void insert_traps(struct run *r)
{
    const struct snapshot *s = &r->replay->snapshot;
    struct raise next = raise_look(s);
    unsigned length = next.decoded ? next.instruction.i.length : INSTRUCTION_MAX;
    gva_t rip = snapshot_linear_rip(s);

    find_handlers(r, &next.exception);
    for (unsigned i = 0; i < r->handlers.count; i++) {
        const struct handler *h = &r->handlers.list[i];

        if (h->linear + TRAP_PORT <= rip || h->linear >= rip + length)
            (void)traps_put(&r->traps, r->replay->snapshot.memory, h->at, TRAP_PORT);
    }
}

/* The handler whose trap the vCPU has come back from, RIP at it or behind it; or NULL. */
static const struct handler *handler_met(const struct run *r)
{
    const struct kvm_run *run = r->vcpu->cpu.run;
    struct snapshot s = state_of(r);
    gpa_t place;

    if (run->exit_reason != KVM_EXIT_IO || run->io.port != TRAPS_PORT)
        return NULL;
    for (unsigned back = 0; back <= TRAP_PORT; back += TRAP_PORT, s.regs.rip -= TRAP_PORT)
        if (traps_find(&r->traps, &s, snapshot_linear_rip(&s), &place) != NULL)
            return handlers_at(&r->handlers, place);
    return NULL;
}

/* The vCPU has written to the port of a trap: it is to stand at the handler's first instruction. */
static bool enter_handler(struct run *r, const struct handler *handler)
{
    struct kvm_run *run = r->vcpu->cpu.run;
    struct kvm_regs regs;

    if (kvm_finish_exit(&r->vcpu->cpu) == 0 ||
        kvm_read_registers(&r->vcpu->cpu, &regs, &run->s.regs.sregs, NULL) < 0)
        return false;
    regs.rip = handler->offset;
    r->replay->handlers++;
    r->replay->handling = handler->vector;
    return kvm_write_general(&r->vcpu->cpu, &regs) == 0;
}

/* One instruction. True: go on. */
static bool step(struct run *r)
{
    static const uint64_t no_addresses[4];
    struct kvm_run *run = r->vcpu->cpu.run;
    const struct handler *met;
    bool entered;

    r->replay->snapshot = state_of(r);
    insert_traps(r);
    entered = kvm_set_guest_debug(&r->vcpu->cpu, KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP,
                                  no_addresses, 0) == 0 &&
              worker_enter(r->worker, r->vcpu);
    met = entered ? handler_met(r) : NULL;
    traps_clear(&r->traps, r->replay->snapshot.memory);
    if (!entered)
        return false;
    if (run->exit_reason == KVM_EXIT_SHUTDOWN) {
        r->replay->result = REPLAY_FOUND;
        return false;
    }
    r->replay->steps++;
    r->replay->handling = -1;
    if (met != NULL)
        return enter_handler(r, met);
    if (run->exit_reason == KVM_EXIT_DEBUG)
        return r->replay->steps < STEPS_MAX;
    r->replay->result = REPLAY_DIVERGED;
    return false;
}

void replay_run(struct worker *worker, const struct vm *vm, struct vm *made, struct replay *replay)
{
    static struct run r;

    worker_limit(worker, LIMIT_MS);
    *replay = (struct replay){.result = REPLAY_TOO_LONG, .handling = -1};
    replay->snapshot.address_bits = vm->address_bits;
    replay->snapshot.memory = &made->memory;
    r = (struct run){.worker = worker, .vm = vm, .vcpu = &made->vcpus[0], .replay = replay};
    r.vcpu->cpu.run->kvm_valid_regs = KVM_SYNC_X86_REGS | KVM_SYNC_X86_SREGS;
    if (!repeat_exits(&r) || !begin_steps(&r))
        return;
    while (step(&r))
        ;
}
