/* The VM as the stub's target; see target.h. Most functions are called only while the VM is
 * stopped. */
#include <errno.h>
#include <string.h>

#include "host/kvm/debug.h"
#include "vm/exits.h"
#include "vm/vm.h"
#include "watch/explain/walk.h"
#include "watch/gdb/debug.h"

/* The signal reported for a guest that the debugger has killed. */
enum { KILL = 9 };

static struct vm *vm_of(void *context)
{
    return ((struct debug *)context)->vm;
}

static unsigned cpus(void *context)
{
    return vm_of(context)->vcpu_count;
}

static int read_registers(void *context, unsigned cpu, struct gdb_registers *to)
{
    const struct vm *vm = vm_of(context);

    to->state = (struct snapshot){.memory = &vm->memory};
    return kvm_read_registers(&vm->vcpus[cpu].cpu, &to->state.regs, &to->state.sregs, &to->fpu);
}

/* Writes only what has changed: KVM may refuse to set a state that the vCPU has reached by itself.
 * A vCPU whose RIP changes has left its unfinished instruction. */
static int write_registers(void *context, unsigned cpu, const struct gdb_registers *from)
{
    struct debug_cpu *own = &((struct debug *)context)->cpus[cpu];
    struct vcpu *vcpu = own->vcpu;
    struct gdb_registers now;
    int result = read_registers(context, cpu, &now);

    if (result == 0 && memcmp(&now.state.sregs, &from->state.sregs, sizeof now.state.sregs) != 0)
        result = kvm_write_special(&vcpu->cpu, &from->state.sregs);
    if (result == 0 && memcmp(&now.fpu, &from->fpu, sizeof now.fpu) != 0)
        result = kvm_write_fpu(&vcpu->cpu, &from->fpu);
    if (result == 0 && memcmp(&now.state.regs, &from->state.regs, sizeof now.state.regs) != 0)
        result = kvm_write_general(&vcpu->cpu, &from->state.regs);
    if (result == 0 && memcmp(&now, from, sizeof now) != 0)
        debug_edited(context);
    if (result == 0 && now.state.regs.rip != from->state.regs.rip) {
        own->crash_told = own->has_event = false;
        vm_drop_exit(vcpu);
    }
    return result;
}

static size_t read_memory(void *context, unsigned cpu, gva_t at, void *to, size_t length)
{
    const struct vm *vm = vm_of(context);
    struct snapshot s;

    return debug_snapshot(&vm->vcpus[cpu], &s) < 0 ? 0 : walk_read(&s, at, to, length);
}

/* Ignores the page's rights, since the debugger writes to code. */
static size_t write_memory(void *context, unsigned cpu, gva_t at, const void *from, size_t length)
{
    const struct vm *vm = vm_of(context);
    struct snapshot s;
    size_t done = 0;
    gpa_t place;

    if (debug_snapshot(&vm->vcpus[cpu], &s) < 0)
        return 0;
    while (done < length && walk_place(&s, at + done, &place)) {
        size_t part = PAGE_SIZE - place % PAGE_SIZE;

        if (part > length - done)
            part = length - done;
        if (!memory_write(&vm->memory, place, (const uint8_t *)from + done, part))
            break;
        done += part;
    }
    if (done > 0)
        debug_edited(context);
    return done;
}

static bool is_contiguous(const struct snapshot *s, const struct gdb_breakpoint *b)
{
    gpa_t last;

    return b->length == 0 ||
           (walk_place(s, b->address + b->length - 1, &last) && last == b->place + b->length - 1);
}

/* An address that is not mapped yet can have a breakpoint by linear address, but no trap in memory.
 */
static int insert(void *context, unsigned cpu, const struct gdb_breakpoint *breakpoint)
{
    struct debug *d = context;
    struct gdb_breakpoint b = *breakpoint;
    bool watch = b.type >= GDB_WATCH_WRITE, mapped;
    struct snapshot s;

    if (debug_snapshot(&d->vm->vcpus[cpu], &s) < 0)
        return -EIO;
    mapped = traps_locate(&s, &b);
    if (b.type == GDB_SOFTWARE && d->features.int3 && !mapped)
        return -EFAULT;
    if (watch && !d->features.watchpoint && (!mapped || !is_contiguous(&s, &b)))
        return -EOPNOTSUPP;
    b.fits_port &= !watch;
    return debug_insert(d, &b);
}

static void remove_breakpoint(void *context, const struct gdb_breakpoint *breakpoint)
{
    debug_remove(context, breakpoint);
}

static void resume(void *context, const enum gdb_action *actions)
{
    debug_resume(context, actions);
}

static const char *go_back(void *context, enum travel_kind kind,
                           const struct gdb_breakpoint *watched)
{
    struct debug *d = context;
    struct gdb_breakpoint b;
    struct snapshot s;

    if (watched == NULL)
        return debug_go_back(d, kind, NULL);
    b = *watched;
    if (debug_snapshot(&d->vm->vcpus[0], &s) < 0 || !walk_place(&s, b.address, &b.place) ||
        !is_contiguous(&s, &b))
        return "there is no memory at that address";
    return debug_go_back(d, kind, &b);
}

static const char *why_not_back(void *context)
{
    return debug_why_not_back(context);
}

static void interrupt(void *context)
{
    debug_stop(context);
}

static void detach(void *context)
{
    debug_release(context, true);
}

static void end_guest(void *context)
{
    vm_stop(vm_of(context), END_SIGNAL, KILL, "killed by its debugger");
}

static void describe_cpu(void *context, unsigned cpu, struct text *text)
{
    static const char *const halts[] = {[KVM_HALT_RUNNING] = "",
                                        [KVM_HALT_ASLEEP] = ", halted",
                                        [KVM_HALT_DEAD] = ", halted for ever",
                                        [KVM_HALT_NEVER_STARTED] = ", not started"};
    const struct vcpu *vcpu = &vm_of(context)->vcpus[cpu];
    struct snapshot s;

    if (debug_snapshot(vcpu, &s) < 0)
        return;
    text_add(text, "vCPU %u, %s%s", cpu, snapshot_mode_name(snapshot_mode(&s)),
             halts[kvm_halt_state(&vcpu->cpu)]);
}

static void describe_means(void *context, struct text *text)
{
    const struct debug *d = context;
    const struct probe_debug *f = &d->features;

    text_add(text, "software breakpoints: %s\n",
             f->int3 ? "int3"
                     : "this KVM does not report int3; used instead: a debug register, a port "
                       "write in place of the instruction, or single steps");
    text_add(text, "hardware breakpoints: %s\n",
             f->breakpoint ? "debug registers"
                           : "this KVM does not report debug registers; used instead: a port write "
                             "in place of the instruction, or single steps");
    text_add(text, "watchpoints: %s\n",
             f->watchpoint ? "debug registers"
                           : "this KVM does not report them; used instead: single steps, which "
                             "miss a write of the same value");
    text_add(text, "single steps: %s%s\n", f->step ? "by KVM" : "NOT REPORTED by this KVM",
             d->step_flags != 0 ? ", interrupts held back" : "");
    for (unsigned i = 0; i < d->table.count; i++)
        text_add(text, "  %s %#lx: %s\n",
                 d->table.list[i].type >= GDB_WATCH_WRITE ? "watchpoint" : "breakpoint",
                 d->table.list[i].address, gdb_means_name(d->table.list[i].means));
}

static void describe_exits(void *context, struct text *text)
{
    const struct debug *d = context;
    const struct vm *vm = d->vm;

    for (unsigned i = 0; i < vm->vcpu_count; i++) {
        const struct vcpu_stats *s = &vm->vcpus[i].stats;

        text_add(text, "vCPU %u: %lu exits\n", i, s->exits);
        for (uint32_t reason = 0; reason < EXIT_REASONS; reason++)
            if (s->by_reason[reason] > 0)
                text_add(text, "  %-24s %12lu\n", exits_name(reason), s->by_reason[reason]);
        text_add(text, "  and for the debugger %12lu single steps, %lu breakpoint instructions\n",
                 d->cpus[i].steps, d->cpus[i].traps);
    }
}

const struct gdb_ops debug_target_ops = {
    .cpus = cpus,
    .read_registers = read_registers,
    .write_registers = write_registers,
    .read = read_memory,
    .write = write_memory,
    .insert = insert,
    .remove = remove_breakpoint,
    .resume = resume,
    .go_back = go_back,
    .why_not_back = why_not_back,
    .interrupt = interrupt,
    .detach = detach,
    .kill = end_guest,
    .describe_cpu = describe_cpu,
    .describe_means = describe_means,
    .describe_exits = describe_exits,
};
