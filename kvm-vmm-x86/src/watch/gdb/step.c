/* The debugger's observer: decides whether an exit is a finished step, a breakpoint, one of our
 * traps, or the guest's own. See debug.h. Debug exceptions: Intel SDM volume 3, 18.2 and 18.3. */
#include <errno.h>
#include <string.h>

#include "host/kvm/debug.h"
#include "host/kvm/interrupts.h"
#include "vm/deck.h"
#include "vm/vm.h"
#include "watch/explain/fault/instruction.h"
#include "watch/explain/walk.h"
#include "watch/gdb/debug.h"
#include "watch/travel/travel.h"

enum { LOOK_EVERY = 64 /* entries */ };
enum { VECTOR_BP = 3, DR6_HITS = 0xf };

static int vcpu_made(void *context, struct vcpu *vcpu, void **state, struct error *error)
{
    struct debug *d = context;

    (void)error;
    d->cpus[vcpu->id] = (struct debug_cpu){.debug = d, .vcpu = vcpu};
    *state = &d->cpus[vcpu->id];
    return 0;
}

static bool overlaps(const struct gdb_breakpoint *b, const struct instruction_access *access)
{
    unsigned size = access->size != 0 ? access->size : 1;

    return access->linear < b->address + b->length && b->address < access->linear + size;
}

/* Finds a watchpoint by single steps, for reads, that the next instruction accesses: 1 + its index.
 */
static unsigned watch_ahead(const struct debug *d, const struct snapshot *s)
{
    struct instruction_access access;
    struct instruction instruction;

    if (!d->plan.steps || !instruction_at(s, snapshot_linear_rip(s), &instruction))
        return 0;
    for (unsigned k = 0; k < instruction.i.operand_count; k++)
        for (unsigned i = 0; i < d->table.count; i++)
            if (d->table.list[i].type == GDB_WATCH_ACCESS &&
                d->table.list[i].means == GDB_BY_STEPS &&
                instruction_access(s, &instruction, k, &access) &&
                overlaps(&d->table.list[i], &access))
                return i + 1;
    return 0;
}

static void look_ahead(struct debug_cpu *own, const struct snapshot *s)
{
    const struct debug *d = own->debug;

    own->looked = true;
    own->pushes_flags = handlers_is_pushf(s);
    own->halts = d->vm->own_irqchip && handlers_is_halt(s);
    own->sets_timer = d->plan.steps && handlers_sets_timer(s);
    own->touches = watch_ahead(d, s);
}

/* Single stepping is set at each entry, since an instruction that writes the flags ends it. */
static void before_entry(void *state, struct vcpu *vcpu)
{
    struct debug_cpu *own = state;
    const struct debug *d = own->debug;
    uint32_t control = debug_control(own);
    struct snapshot s;

    deck_catch_up(vcpu);
    if (++own->entries % LOOK_EVERY == 0 && d->travel != NULL && travel_is_due(d->travel))
        debug_rest(own);

    if ((control & KVM_GUESTDBG_SINGLESTEP) && !own->looked && debug_snapshot(vcpu, &s) == 0)
        look_ahead(own, &s);
    own->interrupted = (control & KVM_GUESTDBG_SINGLESTEP) && vcpu->vm->own_irqchip &&
                       kvm_injected(&vcpu->cpu) >= 0;
    own->sp = vcpu->cpu.run->s.regs.regs.rsp;
    if ((control & KVM_GUESTDBG_SINGLESTEP) && own->halts && !own->interrupted)
        control &= ~(uint32_t)KVM_GUESTDBG_SINGLESTEP; /* HLT is an exit (travel/stepper.c) */
    vcpu->cpu.run->kvm_valid_regs = KVM_SYNC_X86_REGS | (control != 0 ? KVM_SYNC_X86_SREGS : 0);
    if (own->reinject)
        control |= KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_INJECT_BP;
    own->reinject = false;
    if (control == own->control && !(control & KVM_GUESTDBG_SINGLESTEP) &&
        !(control & KVM_GUESTDBG_USE_HW_BP))
        return;
    own->control = control & ~(uint32_t)KVM_GUESTDBG_INJECT_BP;
    if (kvm_set_guest_debug(&vcpu->cpu, control, d->plan.address,
                            control & KVM_GUESTDBG_USE_HW_BP ? d->plan.dr7 : 0) < 0)
        vm_stop(vcpu->vm, END_FAILED, 0, "KVM refuses to debug its guest: %s", strerror(errno));
}

static void report(struct debug_cpu *own, enum gdb_reason reason, const struct gdb_breakpoint *b)
{
    struct gdb_stop stop = {.reason = reason};

    if (b != NULL) {
        stop.type = b->type;
        stop.address = b->address;
    }
    debug_event(own, &stop);
}

static const struct gdb_breakpoint *breakpoint_at(const struct debug *d, gva_t at, gpa_t place)
{
    for (unsigned i = 0; i < d->table.count; i++)
        if (d->table.list[i].type <= GDB_HARDWARE &&
            (d->table.list[i].address == at || d->table.list[i].place == place))
            return &d->table.list[i];
    return NULL;
}

/* The vCPU has hit one of our traps; RIP is at the trap's first byte. */
static void on_trap(struct debug_cpu *own, struct snapshot *s, gpa_t place)
{
    const struct debug *d = own->debug;
    const struct handler *handler = handlers_at(&d->handlers, place);
    const struct gdb_breakpoint *b = breakpoint_at(d, snapshot_linear_rip(s), place);

    own->traps++;
    if (handler != NULL) {
        own->quiet_steps = DEBUG_QUIET_STEPS;
        handlers_hide_trap_flag(handler, s);
    }
    if (kvm_write_general(&own->vcpu->cpu, &s->regs) < 0)
        vm_stop(d->vm, END_FAILED, 0, "KVM refuses its registers at a breakpoint");
    own->looked = false;
    if (b != NULL)
        report(own, GDB_BREAK, b);
    else if (own->action == GDB_STEP)
        report(own, GDB_STEPPED, NULL);
    else
        debug_pass(own, false);
}

/* The trap at `back` bytes before RIP, or NULL. */
static const struct trap *trap_at(const struct debug *d, const struct snapshot *s, uint64_t back,
                                  gpa_t *place)
{
    struct snapshot there = *s;

    there.regs.rip -= back;
    return traps_find(&d->traps, s, snapshot_linear_rip(&there), place);
}

/* At the exit of a port write, RIP may be at the instruction or behind it. It is always behind it
 * after the instruction has been finished. */
static bool takes_port(struct debug_cpu *own)
{
    const struct debug *d = own->debug;
    const struct kvm_run *run = own->vcpu->cpu.run;
    struct snapshot s;
    gpa_t place;
    int code;

    if (run->io.port != TRAPS_PORT || run->io.direction != KVM_EXIT_IO_OUT || run->io.size != 1 ||
        d->traps.count == 0 || debug_snapshot(own->vcpu, &s) < 0)
        return false;
    if (trap_at(d, &s, 0, &place) == NULL && trap_at(d, &s, TRAP_PORT, &place) == NULL)
        return false;
    code = kvm_finish_exit(&own->vcpu->cpu);
    if ((code < 0 && code != -EINTR) || debug_snapshot(own->vcpu, &s) < 0)
        return false;
    s.regs.rip -= TRAP_PORT;
    (void)trap_at(d, &s, 0, &place); /* until now it may have been the next trap's */
    on_trap(own, &s, place);
    return true;
}

/* A watchpoint by single steps whose bytes have changed, or NULL. */
static const struct gdb_breakpoint *changed_watch(struct debug *d)
{
    for (unsigned i = 0; i < d->table.count; i++) {
        const struct gdb_breakpoint *b = &d->table.list[i];
        uint8_t now[GDB_WATCH_LENGTH_MAX];

        if (b->means != GDB_BY_STEPS || b->type < GDB_WATCH_WRITE ||
            !memory_read(&d->vm->memory, b->place, now, b->length) ||
            memcmp(now, d->watched[i], b->length) == 0)
            continue;
        memcpy(d->watched[i], now, b->length);
        return b;
    }
    return NULL;
}

/* Checks for watchpoints and breakpoints after a step, if they are done by stepping. */
static bool found_by_steps(struct debug_cpu *own, const struct snapshot *s)
{
    struct debug *d = own->debug;
    const struct gdb_breakpoint *b;

    if (!d->plan.steps)
        return false;
    b = changed_watch(d);
    if (b != NULL) {
        report(own, GDB_WATCH, b);
        return true;
    }
    b = gdb_breakpoints_at(&d->table, snapshot_linear_rip(s));
    if (b == NULL || b->means != GDB_BY_STEPS)
        return false;
    report(own, GDB_BREAK, b);
    return true;
}

static void delay_timer(const struct vcpu *vcpu)
{
    uint64_t now = kvm_read_msr(&vcpu->cpu, TIMER_MSR_TSC);
    uint64_t later = handlers_later_deadline(now, kvm_read_msr(&vcpu->cpu, TIMER_MSR_DEADLINE));

    if (later != 0 && kvm_write_msr(&vcpu->cpu, TIMER_MSR_DEADLINE, later) < 0)
        vm_stop(vcpu->vm, END_FAILED, 0, "KVM refuses the deadline of its guest's timer");
}

/* In real mode handlers have no traps: if an interrupt came before the step, the step was the
 * handler's first instruction. Clears the trap flag in the flags that were pushed before it. */
static void hide_interrupted(const struct debug_cpu *own, struct snapshot s)
{
    enum { WORD = 2 };

    if (!own->interrupted || (s.sregs.cr0 & CR0_PE))
        return;
    s.regs.rsp = own->sp - WORD;
    handlers_hide_pushed_flag(&s);
}

/* KVM has stored the registers in kvm_run (before_entry asked for that), so no more calls are
 * needed. */
static void after_step(struct debug_cpu *own)
{
    const struct kvm_sync_regs *shared = &own->vcpu->cpu.run->s.regs;
    struct debug *d = own->debug;
    struct snapshot s = {.regs = shared->regs, .sregs = shared->sregs, .memory = &d->vm->memory};
    unsigned touched;

    hide_interrupted(own, s);
    if (own->looked && own->pushes_flags && !own->interrupted)
        handlers_hide_pushed_flag(&s);
    if (own->looked && own->sets_timer)
        delay_timer(own->vcpu);
    own->quiet_steps -= own->quiet_steps > 0 && (s.regs.rflags & RFLAGS_IF);
    own->steps++;
    touched = own->looked ? own->touches : 0;
    look_ahead(own, &s);
    if (touched > 0)
        report(own, GDB_WATCH, &d->table.list[touched - 1]);
    else if (found_by_steps(own, &s))
        return;
    else if (own->action == GDB_STEP)
        report(own, GDB_STEPPED, NULL);
    else if (!debug_passed(own) &&
             (s.sregs.idt.base != own->idt.base || s.sregs.idt.limit != own->idt.limit))
        debug_pass(own, true);
}

static void on_int3(struct debug_cpu *own)
{
    struct snapshot s;
    gpa_t place;

    if (debug_snapshot(own->vcpu, &s) == 0 && trap_at(own->debug, &s, 0, &place) != NULL)
        on_trap(own, &s, place);
    else
        own->reinject = true;
}

/* Handles a hit of a debug register, or a finished step. */
static void on_debug(struct debug_cpu *own)
{
    const struct gdb_plan *plan = &own->debug->plan;
    uint64_t hits = own->vcpu->cpu.run->debug.arch.dr6 & DR6_HITS;

    for (unsigned i = 0; i < plan->used; i++) {
        if (!(hits >> i & 1) || !(own->control & KVM_GUESTDBG_USE_HW_BP))
            continue;
        report(own, plan->owner[i]->type >= GDB_WATCH_WRITE ? GDB_WATCH : GDB_BREAK,
               plan->owner[i]);
        return;
    }
    after_step(own);
}

/* Reports a crash to the debugger before the guest ends. The exit is kept: when the debugger
 * resumes the guest, the exit ends it as usual. */
static bool takes_crash(struct debug_cpu *own)
{
    if (own->crash_told || debug_phase_of(own->debug) == DEBUG_FREE)
        return false;
    own->crash_told = true;
    pause_keep_exit(own->vcpu);
    report(own, GDB_CRASHED, NULL);
    return true;
}

static bool takes_exit(void *state, struct vcpu *vcpu)
{
    struct debug_cpu *own = state;

    switch (vcpu->cpu.run->exit_reason) {
    case KVM_EXIT_IO:
        return takes_port(own);
    case KVM_EXIT_HLT:
        own->looked = false;
        return false;
    case KVM_EXIT_SHUTDOWN:
    case KVM_EXIT_INTERNAL_ERROR:
    case KVM_EXIT_FAIL_ENTRY:
        return takes_crash(own);
    case KVM_EXIT_DEBUG:
        if (vcpu->cpu.run->debug.arch.exception == VECTOR_BP)
            on_int3(own);
        else
            on_debug(own);
        return true;
    default:
        return false;
    }
}

const struct observer gdb_observer = {
    .name = "gdb", .vcpu_made = vcpu_made, .before_entry = before_entry, .takes_exit = takes_exit};
