/* Repeats the run of a vCPU; see stepper.h. */
#include "watch/travel/stepper.h"

#include <string.h>

#include "host/kvm/debug.h"
#include "host/kvm/interrupts.h"
#include "vm/deck.h"
#include "watch/explain/fault/raise.h"
#include "watch/explain/walk.h"

static const uint64_t no_addresses[4];

void stepper_init(struct stepper *s, struct worker *worker, struct vcpu *vcpu)
{
    s->worker = worker;
    s->vcpu = vcpu;
    s->before =
        (struct snapshot){.memory = &vcpu->vm->memory, .address_bits = vcpu->vm->address_bits};
    s->steps = s->handled = 0;
    s->handling = -1;
    s->table = (struct stepper_table){0};
    s->handlers.count = s->traps.count = 0;
    vcpu->cpu.run->kvm_valid_regs = KVM_SYNC_X86_REGS | KVM_SYNC_X86_SREGS;
}

struct snapshot stepper_state(const struct stepper *s)
{
    struct snapshot state = s->before;

    state.regs = s->vcpu->cpu.run->s.regs.regs;
    state.sregs = s->vcpu->cpu.run->s.regs.sregs;
    return state;
}

enum stepper_result stepper_begin(struct stepper *s)
{
    struct kvm_run *run = s->vcpu->cpu.run;

    /* With single stepping on, the end of the instruction would be another exit. */
    if (kvm_set_guest_debug(&s->vcpu->cpu, 0, no_addresses, 0) < 0)
        return STEPPER_LOST;
    if (kvm_finish_exit(&s->vcpu->cpu) == 0) /* KVM reports another exit */
        return STEPPER_EXIT;
    return kvm_read_registers(&s->vcpu->cpu, &run->s.regs.regs, &run->s.regs.sregs, NULL) == 0
               ? STEPPER_DONE
               : STEPPER_LOST;
}

/* Does not wait for readers of the guest's output: nothing is printed here. */
enum stepper_result stepper_handle(struct stepper *s)
{
    const struct deck *deck = s->vcpu->deck;
    enum verdict verdict;
    uint64_t done;

    if (s->vcpu->cpu.run->exit_reason == KVM_EXIT_DEBUG)
        return STEPPER_DEBUG;
    do {
        done = s->vcpu->for_bus.done + s->vcpu->items_done;
        verdict = vcpu_handle_exit(s->vcpu);
        if (worker_must_stop(s->worker))
            return STEPPER_LOST;
    } while (verdict == VERDICT_AGAIN && done != s->vcpu->for_bus.done + s->vcpu->items_done);
    return verdict != VERDICT_RESUME || deck->diverged ? STEPPER_ENDED : STEPPER_DONE;
}

enum stepper_result stepper_run(struct stepper *s)
{
    if (kvm_set_guest_debug(&s->vcpu->cpu, 0, no_addresses, 0) < 0 ||
        !worker_enter(s->worker, s->vcpu))
        return STEPPER_LOST;
    return stepper_handle(s);
}

/* Finds the handlers again only if the IDT has moved or its contents have changed. In real mode the
 * table may have any contents, so only the vector that the next instruction raises counts. */
static void find_handlers(struct stepper *s, const struct exception *next)
{
    const struct snapshot *state = &s->before;
    size_t size = (size_t)state->sregs.idt.limit + 1;
    struct stepper_table now = {
        .idt = state->sregs.idt, .cr0 = state->sregs.cr0, .cr3 = state->sregs.cr3};

    if (state->sregs.cr0 & CR0_PE) {
        now.size = walk_read(state, now.idt.base, now.bytes,
                             size < sizeof now.bytes ? size : sizeof now.bytes);
        if (now.idt.base == s->table.idt.base && now.idt.limit == s->table.idt.limit &&
            now.cr0 == s->table.cr0 && now.cr3 == s->table.cr3 && now.size == s->table.size &&
            memcmp(now.bytes, s->table.bytes, now.size) == 0)
            return;
    }
    s->table = now;
    s->handlers.count = 0;
    if (state->sregs.cr0 & CR0_PE)
        handlers_add(&s->handlers, state);
    else if (next->vector != EXCEPTION_NONE)
        handlers_add_vector(&s->handlers, state, (unsigned)next->vector);
}

/* Inserts traps, but not into the instruction that is stepped over. */
static void insert_traps(struct stepper *s)
{
    struct raise next = raise_look(&s->before);
    int interrupt = s->vcpu->vm->own_irqchip ? kvm_injected(&s->vcpu->cpu) : -1;
    unsigned length = next.decoded ? next.instruction.i.length : INSTRUCTION_MAX;
    gva_t rip = snapshot_linear_rip(&s->before);

    if (interrupt >= 0) /* it comes before the instruction */
        next.exception.vector = interrupt;
    find_handlers(s, &next.exception);
    for (unsigned i = 0; i < s->handlers.count; i++) {
        const struct handler *h = &s->handlers.list[i];

        if (h->linear + TRAP_PORT <= rip || h->linear >= rip + length)
            (void)traps_put(&s->traps, s->before.memory, h->at, TRAP_PORT);
    }
}

/* The handler whose trap the vCPU has hit, with RIP at the trap or behind it; or NULL. */
static const struct handler *handler_met(const struct stepper *s)
{
    const struct kvm_run *run = s->vcpu->cpu.run;
    struct snapshot state = stepper_state(s);
    gpa_t place;

    if (run->exit_reason != KVM_EXIT_IO || run->io.port != TRAPS_PORT)
        return NULL;
    for (unsigned back = 0; back <= TRAP_PORT; back += TRAP_PORT, state.regs.rip -= TRAP_PORT)
        if (traps_find(&s->traps, &state, snapshot_linear_rip(&state), &place) != NULL)
            return handlers_at(&s->handlers, place);
    return NULL;
}

/* The vCPU has hit a port trap: sets RIP to the handler's first instruction. */
static bool enter_handler(struct stepper *s, const struct handler *handler)
{
    struct kvm_run *run = s->vcpu->cpu.run;
    struct snapshot state = s->before;

    if (kvm_finish_exit(&s->vcpu->cpu) == 0 ||
        kvm_read_registers(&s->vcpu->cpu, &state.regs, &state.sregs, NULL) < 0)
        return false;
    state.regs.rip = handler->offset;
    handlers_hide_trap_flag(handler, &state);
    run->s.regs.sregs = state.sregs;
    s->handled++;
    s->handling = handler->vector;
    return kvm_write_general(&s->vcpu->cpu, &state.regs) == 0;
}

/* Whether the next instruction is HLT, which is an exit anyway. If it is stepped, some versions of
 * KVM make that exit much later. */
static bool halts(const struct stepper *s)
{
    const struct vcpu *vcpu = s->vcpu;

    return vcpu->vm->own_irqchip && kvm_injected(&vcpu->cpu) < 0 && handlers_is_halt(&s->before);
}

enum stepper_result stepper_step(struct stepper *s)
{
    enum { stepping = KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP };
    struct kvm_run *run = s->vcpu->cpu.run;
    const struct handler *met;
    struct snapshot state;
    bool entered;

    s->before = stepper_state(s);
    insert_traps(s);
    entered = kvm_set_guest_debug(&s->vcpu->cpu, halts(s) ? 0 : stepping, no_addresses, 0) == 0 &&
              worker_enter(s->worker, s->vcpu);
    met = entered ? handler_met(s) : NULL;
    (void)traps_clear(&s->traps, s->before.memory);
    if (!entered)
        return STEPPER_LOST;
    if (run->exit_reason != KVM_EXIT_DEBUG && met == NULL)
        return STEPPER_EXIT;
    s->steps++;
    s->handling = -1;
    if (met != NULL)
        return enter_handler(s, met) ? STEPPER_DONE : STEPPER_LOST;
    if (handlers_is_pushf(&s->before)) {
        state = stepper_state(s);
        handlers_hide_pushed_flag(&state);
    }
    return STEPPER_DONE;
}
