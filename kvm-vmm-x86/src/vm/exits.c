/* The exit table; see exits.h. Exit reasons: section 5 of Documentation/virt/kvm/api.rst. */
#include "vm/exits.h"

#include <stddef.h>
#include <string.h>

#include "boot/linux/params.h"
#include "cpu/probe.h"
#include "vm/vm.h"

static unsigned long long rip_of(const struct kvm_run *run)
{
    return run->s.regs.regs.rip;
}

/* If an access must be tried again but has made progress, it is tried again at once. */
static __attribute__((noinline)) void note_progress(struct vcpu *vcpu, enum verdict verdict)
{
    if (verdict != VERDICT_AGAIN)
        vcpu->for_bus.done = 0;
    else if (vcpu->for_bus.done != vcpu->done_before)
        vcpu->woken = UINT64_MAX;
    vcpu->done_before = vcpu->for_bus.done;
}

/* Makes one access. Registers that the device has changed are written back at the next entry. */
static enum verdict access_device(struct vcpu *vcpu, enum bus_space space, uint64_t address,
                                  struct bus_access *access)
{
    enum verdict verdict = bus_access(&vcpu->vm->machine.bus, space, address, access);

    if (vcpu->for_bus.regs_changed) {
        vcpu->cpu.run->kvm_dirty_regs = KVM_SYNC_X86_REGS;
        vcpu->for_bus.regs_changed = false;
    }
    if (verdict == VERDICT_AGAIN || vcpu->for_bus.done != 0)
        note_progress(vcpu, verdict);
    return verdict;
}

/* Continues a string input that was interrupted by a save: the items taken before the save come
 * first. KVM may split the rest into other batches than before. */
static void take_up(struct vcpu *vcpu, const struct kvm_run *run, uint8_t *data)
{
    struct vcpu_unfinished *u = &vcpu->unfinished;
    uint32_t items = u->items < run->io.count ? u->items : run->io.count;

    if (run->io.direction == KVM_EXIT_IO_IN && run->io.size == u->size) {
        memcpy(data, u->bytes, (size_t)items * u->size);
        u->items -= items;
        memmove(u->bytes, u->bytes + (size_t)items * u->size, (size_t)u->items * u->size);
        vcpu->items_done = items;
        vcpu->string_rip = u->string_rip;
    }
    if (u->items == 0)
        u->rip = UINT64_MAX;
}

static enum verdict access_port(struct vcpu *vcpu, struct kvm_run *run, uint8_t *data, bool string)
{
    struct bus_access access = {.offset = 0,
                                .data = data,
                                .size = run->io.size,
                                .write = run->io.direction == KVM_EXIT_IO_OUT,
                                .string = string,
                                .cpu = &vcpu->for_bus};

    return access_device(vcpu, BUS_PIO, run->io.port, &access);
}

/*
 * KVM delivers `rep ins` in batches that end at page boundaries, so the last batch may have one
 * item and look like a single `in`. It is part of the string if its instruction is that of the
 * previous batch. If an item must be tried again, the batch continues there. (Inlined, it would
 * make on_io, which handles most exits, save registers.)
 */
static __attribute__((noinline)) enum verdict on_string_io(struct vcpu *vcpu, struct kvm_run *run,
                                                           uint8_t *data)
{
    bool string;

    if (vcpu->unfinished.rip == rip_of(run) && vcpu->items_done == 0)
        take_up(vcpu, run, data);
    string = run->io.count > 1 || vcpu->string_rip == rip_of(run);
    vcpu->string_rip = string ? rip_of(run) : UINT64_MAX;
    vcpu->in_string = string || vcpu->unfinished.rip != UINT64_MAX;
    for (; vcpu->items_done < run->io.count; vcpu->items_done++) {
        enum verdict verdict;

        if (vcpu->items_done > 0 && vm_is_full(vcpu->vm))
            return VERDICT_AGAIN;
        verdict = access_port(vcpu, run, data + (size_t)vcpu->items_done * run->io.size, string);
        if (verdict != VERDICT_RESUME)
            return verdict;
    }
    vcpu->items_done = 0;
    return VERDICT_RESUME;
}

/* Most accesses are a single `in` or `out`, without a string before it. */
static enum verdict on_io(struct vcpu *vcpu, struct kvm_run *run)
{
    uint8_t *data = (uint8_t *)run + run->io.data_offset;

    if (run->io.count > 1 || vcpu->in_string)
        return on_string_io(vcpu, run, data);
    return access_port(vcpu, run, data, false);
}

static enum verdict outside_memory(struct vcpu *vcpu, const char *what, uint64_t address,
                                   const struct kvm_run *run)
{
    const struct memory *m = &vcpu->vm->memory;

    if (memory_slot_at(m, address) != NULL)
        vm_stop(vcpu->vm, END_CRASH, 0, "%s at %#llx, which is read-only memory, rip %#llx", what,
                (unsigned long long)address, rip_of(run));
    else
        vm_stop(vcpu->vm, END_CRASH, 0,
                "%s at %#llx, outside its memory (%#llx to %#llx), rip %#llx", what,
                (unsigned long long)address, (unsigned long long)m->slots[0].base,
                (unsigned long long)memory_end(m) - 1, rip_of(run));
    return VERDICT_STOP;
}

/* If KVM emulates an instruction and cannot read a page because the host has lost it, KVM reports
 * MMIO. */
static bool is_lost_memory(const struct vm *vm, const struct kvm_run *run)
{
    const struct memory_slot *slot = memory_slot_at(&vm->memory, run->mmio.phys_addr);

    return slot != NULL && !(slot->read_only && run->mmio.is_write);
}

static enum verdict on_mmio(struct vcpu *vcpu, struct kvm_run *run)
{
    struct bus_access access = {.data = run->mmio.data,
                                .size = (uint8_t)run->mmio.len,
                                .write = run->mmio.is_write,
                                .cpu = &vcpu->for_bus};

    if (is_lost_memory(vcpu->vm, run)) {
        vm_lose_memory(vcpu->vm, run->mmio.phys_addr);
        return VERDICT_STOP;
    }
    if (vcpu->vm->mmio != MMIO_IGNORE &&
        bus_find(&vcpu->vm->machine.bus, BUS_MMIO, run->mmio.phys_addr) == NULL)
        return outside_memory(vcpu, access.write ? "write" : "read", run->mmio.phys_addr, run);
    return access_device(vcpu, BUS_MMIO, run->mmio.phys_addr, &access);
}

/* Without interrupt controllers nothing can wake the vCPU. (With KVM's, HLT is not an exit:
 * halt.c.) */
static enum verdict on_hlt(struct vcpu *vcpu, struct kvm_run *run)
{
    (void)run;
    if (vcpu->vm->own_irqchip)
        return VERDICT_RESUME; /* vcpu.c calls ticks_halt */
    vm_stop(vcpu->vm, END_HALT, 0, "%s", "");
    return VERDICT_STOP;
}

static enum verdict on_shutdown(struct vcpu *vcpu, struct kvm_run *run)
{
    static const char said[] = "triple fault: an exception that could not be delivered";
    struct kvm_sregs sregs;
    struct error error;

    if (vcpu->vm->mode == MODE_LINUX && linux_is_resetting(&vcpu->vm->memory))
        vcpu->vm->backend.end(vcpu->vm->backend.context, END_RESET, 0, NULL);
    else if (vcpu->vm->paging && vcpu->stats.exits == 1 && !probe_paging32(vcpu->vm->config->kvm))
        vm_stop(vcpu->vm, END_FAILED, 0,
                "this host's KVM does not run 32-bit code with paging; `lab/lab run` does");
    else if (kvm_get_sregs(&vcpu->cpu, &sregs, &error) < 0 ||
             kvm_was_reset(&run->s.regs.regs, &sregs))
        vm_stop(vcpu->vm, END_CRASH, 0, "%s", said);
    else
        vm_stop(vcpu->vm, END_CRASH, 0, "%s, rip %#llx", said, rip_of(run));
    return VERDICT_STOP;
}

/* KVM could not fetch or emulate an instruction, most often because there is no memory at RIP. */
static enum verdict on_internal_error(struct vcpu *vcpu, struct kvm_run *run)
{
    struct vm *vm = vcpu->vm;
    struct kvm_sregs sregs;
    struct error error;
    uint64_t linear;

    if (!kvm_error_is_guests(run)) {
        vm_stop(vm, END_FAILED, 0, "KVM internal error %u at rip %#llx", run->internal.suberror,
                rip_of(run));
        return VERDICT_STOP;
    }
    if (run->internal.suberror == KVM_INTERNAL_ERROR_DELIVERY_EV) {
        vm_stop(vm, END_CRASH, 0,
                "an interrupt or exception could not be delivered at rip %#llx: its table (IDT) or "
                "stack is outside the guest's memory",
                rip_of(run));
        return VERDICT_STOP;
    }
    if (kvm_get_sregs(&vcpu->cpu, &sregs, &error) < 0) {
        vm_stop(vm, END_FAILED, 0, "%s", error.text);
        return VERDICT_STOP;
    }
    linear = sregs.cs.base + run->s.regs.regs.rip;
    if (memory_at(&vm->memory, linear, 1) == NULL && !(sregs.cr0 & CR0_PG))
        return outside_memory(vcpu, "fetch", linear, run);
    vm_stop(vm, END_CRASH, 0, "KVM cannot emulate the instruction at rip %#llx (cs base %#llx)",
            rip_of(run), (unsigned long long)sregs.cs.base);
    return VERDICT_STOP;
}

static enum verdict on_fail_entry(struct vcpu *vcpu, struct kvm_run *run)
{
    vm_stop(vcpu->vm, END_CRASH, 0,
            "the CPU refuses the guest's state (hardware reason %#llx), rip %#llx",
            (unsigned long long)run->fail_entry.hardware_entry_failure_reason, rip_of(run));
    return VERDICT_STOP;
}

static enum verdict on_unknown(struct vcpu *vcpu, struct kvm_run *run)
{
    vm_stop(vcpu->vm, END_FAILED, 0, "exit %u (%s), which this VMM does not handle, rip %#llx",
            run->exit_reason, exits_name(run->exit_reason), rip_of(run));
    return VERDICT_STOP;
}

static enum verdict on_nothing(struct vcpu *vcpu, struct kvm_run *run)
{
    (void)vcpu;
    (void)run;
    return VERDICT_RESUME;
}

typedef enum verdict (*exit_handler)(struct vcpu *vcpu, struct kvm_run *run);

static const struct {
    const char *name;
    exit_handler handle;
} table[EXIT_REASONS] = {
    [KVM_EXIT_IO] = {"io", on_io},
    [KVM_EXIT_MMIO] = {"mmio", on_mmio},
    [KVM_EXIT_HLT] = {"hlt", on_hlt},
    [KVM_EXIT_SHUTDOWN] = {"shutdown", on_shutdown},
    [KVM_EXIT_INTERNAL_ERROR] = {"internal error", on_internal_error},
    [KVM_EXIT_FAIL_ENTRY] = {"failed entry", on_fail_entry},
    [KVM_EXIT_INTR] = {"signal", on_nothing},
    [KVM_EXIT_IRQ_WINDOW_OPEN] = {"interrupt window", on_nothing},
    [KVM_EXIT_DEBUG] = {"debug", on_unknown},
    [KVM_EXIT_EXCEPTION] = {"exception", on_unknown},
    [KVM_EXIT_SYSTEM_EVENT] = {"system event", on_unknown},
};

const char *exits_name(uint32_t reason)
{
    return reason < EXIT_REASONS && table[reason].name != NULL ? table[reason].name : "unknown";
}

enum verdict exits_handle(struct vcpu *vcpu)
{
    struct kvm_run *run = vcpu->cpu.run;
    uint32_t reason = run->exit_reason < EXIT_REASONS ? run->exit_reason : EXIT_REASONS - 1;

    if (!vcpu->counted) {
        __atomic_store_n(&vcpu->stats.exits, vcpu->stats.exits + 1, __ATOMIC_RELAXED);
        vcpu->stats.by_reason[reason]++;
    }
    return table[reason].handle != NULL ? table[reason].handle(vcpu, run) : on_unknown(vcpu, run);
}
