/* A few thousand instructions more; see sample.h. */
#include "watch/postmortem/sample.h"

#include <string.h>

#include "host/kvm_debug.h"
#include "watch/explain/snapshot.h"
#include "watch/postmortem/trail.h"
#include "watch/postmortem/worker.h"

enum { SAMPLES = 3000, LIMIT_MS = 2000 };

struct sampling {
    struct vm *vm;
    gva_t addresses[SAMPLES];
    size_t count;
};

/* What the guest read there last, or all ones. */
static uint64_t last_value(const struct vcpu *vcpu, uint64_t address)
{
    const struct trail *trail = trail_of(vcpu);

    for (unsigned i = 0; i < TRAIL_EXITS && i < trail->count; i++) {
        const struct exit_record *e = &trail->last_exits[(trail->count - 1 - i) % TRAIL_EXITS];

        if (!e->write && e->space != EXIT_NOWHERE && e->address == address)
            return e->value;
    }
    return UINT64_MAX;
}

/* True if the guest can go on. */
static bool answer(struct vcpu *vcpu)
{
    struct kvm_run *run = vcpu->cpu.run;
    uint64_t value;

    switch (run->exit_reason) {
    case KVM_EXIT_DEBUG:
        return true;
    case KVM_EXIT_IO:
        value = last_value(vcpu, run->io.port);
        for (uint32_t i = 0; run->io.direction == KVM_EXIT_IO_IN && i < run->io.count; i++)
            memcpy((uint8_t *)run + run->io.data_offset + i * run->io.size, &value, run->io.size);
        return true;
    case KVM_EXIT_MMIO:
        value = last_value(vcpu, run->mmio.phys_addr);
        if (!run->mmio.is_write)
            memcpy(run->mmio.data, &value, sizeof run->mmio.data);
        return true;
    default:
        return false;
    }
}

static void work(struct worker *worker)
{
    static const uint64_t no_addresses[4];
    struct sampling *sampling = worker->context;
    struct vcpu *vcpu = worker->vcpu;
    struct kvm_run *run = vcpu->cpu.run;
    struct snapshot s = {0};

    if (kvm_finish_exit(&vcpu->cpu) == 0 ||
        kvm_read_registers(&vcpu->cpu, &run->s.regs.regs, &run->s.regs.sregs, NULL) < 0)
        return;
    while (sampling->count < SAMPLES) {
        s.regs = run->s.regs.regs;
        s.sregs = run->s.regs.sregs;
        if (run->exit_reason == KVM_EXIT_DEBUG || sampling->count == 0)
            sampling->addresses[sampling->count++] = snapshot_linear_rip(&s);
        if (kvm_set_guest_debug(&vcpu->cpu, KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP,
                                no_addresses, 0) < 0 ||
            !worker_enter(worker) || !answer(vcpu))
            return;
    }
}

struct loop sample_loop(struct vm *vm)
{
    static struct sampling sampling;
    struct worker worker = {.vcpu = &vm->vcpus[0], .work = work, .context = &sampling};

    sampling.vm = vm;
    sampling.count = 0;
    vm->vcpus[0].cpu.run->kvm_valid_regs = KVM_SYNC_X86_REGS | KVM_SYNC_X86_SREGS;
    worker_run(&worker, LIMIT_MS);
    return loop_find(sampling.addresses, sampling.count);
}
