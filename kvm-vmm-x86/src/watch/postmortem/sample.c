/* A few thousand instructions more; see sample.h. */
#include "watch/postmortem/sample.h"

#include <string.h>

#include "host/kvm_debug.h"
#include "watch/explain/snapshot.h"
#include "watch/postmortem/trail.h"

enum { SAMPLES = 3000, LIMIT_MS = 1000 };

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

struct loop sample_loop(struct worker *worker, struct vcpu *vcpu)
{
    static const uint64_t no_addresses[4];
    static gva_t addresses[SAMPLES];
    struct kvm_run *run = vcpu->cpu.run;
    struct snapshot s = {0};
    size_t count = 0;

    worker_limit(worker, LIMIT_MS);
    run->kvm_valid_regs = KVM_SYNC_X86_REGS | KVM_SYNC_X86_SREGS;
    if (kvm_finish_exit(&vcpu->cpu) == 0 ||
        kvm_read_registers(&vcpu->cpu, &run->s.regs.regs, &run->s.regs.sregs, NULL) < 0)
        return (struct loop){0};
    while (count < SAMPLES) {
        s.regs = run->s.regs.regs;
        s.sregs = run->s.regs.sregs;
        if (run->exit_reason == KVM_EXIT_DEBUG || count == 0)
            addresses[count++] = snapshot_linear_rip(&s);
        if (kvm_set_guest_debug(&vcpu->cpu, KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP,
                                no_addresses, 0) < 0 ||
            !worker_enter(worker, vcpu) || !answer(vcpu))
            break;
    }
    return loop_find(addresses, count);
}
