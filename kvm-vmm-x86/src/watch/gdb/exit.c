/* What it means that a vCPU came back to its debugger: a step done, a breakpoint, a trap of ours,
 * or something of the guest's own. See debug.h. Debug exceptions: Intel SDM volume 3, 18.2
 * and 18.3. */
#include <errno.h>
#include <string.h>

#include "host/kvm_debug.h"
#include "vm/vm.h"
#include "watch/explain/fault/instruction.h"
#include "watch/explain/walk.h"
#include "watch/gdb/debug.h"
#include "watch/gdb/timer.h"

enum { VECTOR_BP = 3, DR6_HITS = 0xf, PORT_TRAP_LENGTH = TRAP_PORT };

int debug_snapshot(const struct vcpu *vcpu, struct snapshot *s)
{
    *s = (struct snapshot){0};
    return kvm_read_registers(&vcpu->cpu, &s->regs, &s->sregs, NULL);
}

static bool overlaps(const struct gdb_breakpoint *b, const struct instruction_access *access)
{
    unsigned size = access->size != 0 ? access->size : 1;

    return access->linear < b->address + b->length && b->address < access->linear + size;
}

/* The watchpoint for reads, by single steps, that the next instruction accesses: 1 + its index. */
static unsigned watch_ahead(const struct debug *d, const struct snapshot *s)
{
    struct instruction_access access;
    struct instruction instruction;
    uint8_t code[INSTRUCTION_MAX];
    size_t count;

    if (!d->plan.steps)
        return 0;
    count = walk_read(s, &d->vm->memory, snapshot_linear_rip(s), code, sizeof code);
    if (instruction_decode(s, code, count, &instruction) != INSTRUCTION_GOOD)
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

static void look_ahead(struct vcpu *vcpu, const struct snapshot *s)
{
    vcpu->debug.looked = true;
    vcpu->debug.pushes_flags = handlers_is_pushf(s, &vcpu->vm->memory);
    vcpu->debug.sets_timer = vcpu->vm->debug.plan.steps && timer_is_set(s, &vcpu->vm->memory);
    vcpu->debug.touches = watch_ahead(&vcpu->vm->debug, s);
}

/* Single steps have to be asked for each time: an instruction that writes the flags ends them. */
void debug_before_entry(struct vcpu *vcpu)
{
    struct debug *d = &vcpu->vm->debug;
    struct debug_cpu *own = &vcpu->debug;
    uint32_t control;
    struct snapshot s;

    if (!d->enabled)
        return;
    control = debug_control(vcpu);
    if ((control & KVM_GUESTDBG_SINGLESTEP) && !own->looked && debug_snapshot(vcpu, &s) == 0)
        look_ahead(vcpu, &s);
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

static const struct gdb_breakpoint *breakpoint_at(const struct debug *d, gva_t at, gpa_t place)
{
    for (unsigned i = 0; i < d->table.count; i++)
        if (d->table.list[i].type <= GDB_HARDWARE &&
            (d->table.list[i].address == at || d->places[i] == place))
            return &d->table.list[i];
    return NULL;
}

static void tell_breakpoint(struct vcpu *vcpu, const struct gdb_breakpoint *b)
{
    debug_event(vcpu,
                &(struct gdb_stop){.reason = GDB_BREAK, .type = b->type, .address = b->address});
}

/* The vCPU stands at a trap of ours, RIP at its first byte. */
static void on_trap(struct vcpu *vcpu, struct snapshot *s, gpa_t place)
{
    struct debug *d = &vcpu->vm->debug;
    const struct handler *handler = handlers_at(&d->handlers, place);
    const struct gdb_breakpoint *b = breakpoint_at(d, snapshot_linear_rip(s), place);

    vcpu->debug.traps++;
    if (handler != NULL) {
        vcpu->debug.calm = DEBUG_CALM_STEPS;
        handlers_hide_trap_flag(handler, s, &vcpu->vm->memory);
    }
    if (kvm_write_general(&vcpu->cpu, &s->regs) < 0)
        vm_stop(vcpu->vm, END_FAILED, 0, "KVM refuses its registers at a breakpoint");
    vcpu->debug.looked = false;
    if (b != NULL)
        tell_breakpoint(vcpu, b);
    else if (vcpu->debug.action == GDB_STEP)
        debug_event(vcpu, &(struct gdb_stop){.reason = GDB_STEPPED});
    else
        debug_pass(vcpu, false);
}

/* The planted instruction that lies `back` bytes before RIP, or NULL. */
static const struct trap *trap_at(const struct vcpu *vcpu, const struct snapshot *s, uint64_t back,
                                  gpa_t *place)
{
    struct snapshot there = *s;

    there.regs.rip -= back;
    return traps_find(&vcpu->vm->debug.traps, s, &vcpu->vm->memory, snapshot_linear_rip(&there),
                      place);
}

/* Whether RIP is still at the instruction when a port write comes out differs; it is behind it once
 * the instruction has been finished. */
static bool takes_port(struct vcpu *vcpu)
{
    const struct kvm_run *run = vcpu->cpu.run;
    struct snapshot s;
    gpa_t place;
    int code;

    if (run->io.port != TRAPS_PORT || run->io.direction != KVM_EXIT_IO_OUT || run->io.size != 1 ||
        vcpu->vm->debug.traps.count == 0 || debug_snapshot(vcpu, &s) < 0)
        return false;
    if (trap_at(vcpu, &s, 0, &place) == NULL && trap_at(vcpu, &s, PORT_TRAP_LENGTH, &place) == NULL)
        return false;
    code = kvm_finish_exit(&vcpu->cpu);
    if ((code < 0 && code != -EINTR) || debug_snapshot(vcpu, &s) < 0)
        return false;
    s.regs.rip -= PORT_TRAP_LENGTH;
    on_trap(vcpu, &s, place);
    return true;
}

/* A watchpoint by single steps whose bytes have changed, or NULL. */
static const struct gdb_breakpoint *changed_watch(struct debug *d)
{
    for (unsigned i = 0; i < d->table.count; i++) {
        const struct gdb_breakpoint *b = &d->table.list[i];
        uint8_t now[GDB_WATCH_LENGTH_MAX];

        if (b->means != GDB_BY_STEPS || b->type < GDB_WATCH_WRITE ||
            !memory_read(&d->vm->memory, d->places[i], now, b->length) ||
            memcmp(now, d->watches[i].bytes, b->length) == 0)
            continue;
        memcpy(d->watches[i].bytes, now, b->length);
        return b;
    }
    return NULL;
}

static void tell_watch(struct vcpu *vcpu, const struct gdb_breakpoint *b)
{
    debug_event(vcpu,
                &(struct gdb_stop){.reason = GDB_WATCH, .type = b->type, .address = b->address});
}

/* What is looked at between two steps, where steps stand for what KVM does not report. */
static bool found_by_steps(struct vcpu *vcpu, const struct snapshot *s)
{
    struct debug *d = &vcpu->vm->debug;
    const struct gdb_breakpoint *b;

    if (!d->plan.steps)
        return false;
    b = changed_watch(d);
    if (b != NULL) {
        tell_watch(vcpu, b);
        return true;
    }
    b = gdb_breakpoints_at(&d->table, snapshot_linear_rip(s));
    if (b != NULL && b->means == GDB_BY_STEPS) {
        tell_breakpoint(vcpu, b);
        return true;
    }
    return false;
}

static void delay_timer(struct vcpu *vcpu)
{
    uint64_t now = kvm_read_msr(&vcpu->cpu, TIMER_MSR_TSC);
    uint64_t later = timer_later(now, kvm_read_msr(&vcpu->cpu, TIMER_MSR_DEADLINE));

    if (later != 0 && kvm_write_msr(&vcpu->cpu, TIMER_MSR_DEADLINE, later) < 0)
        vm_stop(vcpu->vm, END_FAILED, 0, "KVM refuses the deadline of its guest's timer");
}

/* The registers are where KVM left them (debug_before_entry asked it to): no more calls for them.
 */
static void after_step(struct vcpu *vcpu)
{
    const struct kvm_sync_regs *shared = &vcpu->cpu.run->s.regs;
    struct snapshot s = {.regs = shared->regs, .sregs = shared->sregs};
    struct debug_cpu *own = &vcpu->debug;
    unsigned touched;

    if (own->looked && own->pushes_flags)
        handlers_hide_pushed_flag(&s, &vcpu->vm->memory);
    if (own->looked && own->sets_timer)
        delay_timer(vcpu);
    own->calm -= own->calm > 0 && (s.regs.rflags & RFLAGS_IF);
    own->steps++;
    touched = own->looked ? own->touches : 0;
    look_ahead(vcpu, &s);
    if (touched > 0)
        tell_watch(vcpu, &vcpu->vm->debug.table.list[touched - 1]);
    if (touched > 0 || found_by_steps(vcpu, &s))
        return;
    if (own->action == GDB_STEP)
        debug_event(vcpu, &(struct gdb_stop){.reason = GDB_STEPPED});
    else if (debug_is_alone(vcpu))
        __atomic_fetch_or(&vcpu->requests, VCPU_PAUSE, __ATOMIC_RELAXED);
    else if (s.sregs.idt.base != own->idt.base || s.sregs.idt.limit != own->idt.limit)
        debug_pass(vcpu, true);
}

static void on_int3(struct vcpu *vcpu)
{
    struct snapshot s;
    gpa_t place;

    if (debug_snapshot(vcpu, &s) == 0 && trap_at(vcpu, &s, 0, &place) != NULL)
        on_trap(vcpu, &s, place);
    else
        vcpu->debug.reinject = true;
}

/* A debug register, or a step. */
static void on_debug(struct vcpu *vcpu)
{
    const struct gdb_plan *plan = &vcpu->vm->debug.plan;
    uint64_t hits = vcpu->cpu.run->debug.arch.dr6 & DR6_HITS;

    for (unsigned i = 0; i < plan->used; i++) {
        if (!(hits >> i & 1) || !(vcpu->debug.control & KVM_GUESTDBG_USE_HW_BP))
            continue;
        if (plan->owner[i]->type >= GDB_WATCH_WRITE)
            tell_watch(vcpu, plan->owner[i]);
        else
            tell_breakpoint(vcpu, plan->owner[i]);
        return;
    }
    after_step(vcpu);
}

bool debug_takes_exit(struct vcpu *vcpu)
{
    const struct kvm_run *run = vcpu->cpu.run;

    if (!vcpu->vm->debug.enabled)
        return false;
    if (run->exit_reason == KVM_EXIT_IO)
        return takes_port(vcpu);
    if (run->exit_reason != KVM_EXIT_DEBUG)
        return false;
    if (run->debug.arch.exception == VECTOR_BP)
        on_int3(vcpu);
    else
        on_debug(vcpu);
    return true;
}

/* The exit is kept: once the debugger lets it go on, it ends the guest as it would have. */
bool debug_takes_crash(struct vcpu *vcpu)
{
    uint32_t reason = vcpu->cpu.run->exit_reason;

    if (!debug_is_attached(&vcpu->vm->debug) || vcpu->debug.crash_told ||
        (reason != KVM_EXIT_SHUTDOWN && reason != KVM_EXIT_INTERNAL_ERROR &&
         reason != KVM_EXIT_FAIL_ENTRY))
        return false;
    vcpu->debug.crash_told = true;
    vcpu_keep_exit(vcpu);
    debug_event(vcpu, &(struct gdb_stop){.reason = GDB_CRASHED});
    return true;
}
