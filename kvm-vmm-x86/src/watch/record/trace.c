/* What an exit was; see trace.h. */
#include "watch/record/trace.h"

#include <string.h>

#include "console/console.h"
#include "vm/exits.h"
#include "vm/vm.h"

static uint64_t value_of(const uint8_t *data, uint32_t size)
{
    uint64_t value = 0;

    memcpy(&value, data, size < sizeof value ? size : sizeof value);
    return value;
}

/* Runs at each exit when there is a log: stores, and nothing that could wait. */
void trace_record(const struct vcpu *vcpu, struct log_record *record)
{
    const struct kvm_run *run = vcpu->cpu.run;

    *record = (struct log_record){
        .rip = run->s.regs.regs.rip,
        .count = 1,
        .reason = (uint8_t)(run->exit_reason < UINT8_MAX ? run->exit_reason : UINT8_MAX)};
    switch (run->exit_reason) {
    case KVM_EXIT_IO:
        record->space = LOG_PORT;
        record->address = run->io.port;
        record->count = run->io.count;
        record->size = run->io.size;
        record->write = run->io.direction == KVM_EXIT_IO_OUT;
        record->value = value_of((const uint8_t *)run + run->io.data_offset, run->io.size);
        break;
    case KVM_EXIT_MMIO:
        record->space = LOG_MEMORY;
        record->address = run->mmio.phys_addr;
        record->size = (uint8_t)run->mmio.len;
        record->write = run->mmio.is_write;
        record->value = value_of(run->mmio.data, run->mmio.len);
        break;
    case KVM_EXIT_X86_RDMSR:
    case KVM_EXIT_X86_WRMSR:
        record->space = LOG_MSR;
        record->address = run->msr.index;
        record->size = sizeof run->msr.data;
        record->write = run->exit_reason == KVM_EXIT_X86_WRMSR;
        record->value = run->msr.data;
        break;
    default:
        break;
    }
}

void trace_exit(const struct vcpu *vcpu)
{
    uint32_t reason = vcpu->cpu.run->exit_reason;
    uint32_t slot = reason < EXIT_REASONS ? reason : EXIT_REASONS - 1;
    struct log_record record;
    char text[160];

    trace_record(vcpu, &record);
    log_record_describe(&vcpu->vm->machine.bus, &record, text, sizeof text);
    vcpu_printf(vcpu->vm->index, "[guest %u] exit %llu: %s %llu, rip %#llx%s%s", vcpu->vm->index,
                (unsigned long long)vcpu->stats.exits, exits_name(reason),
                (unsigned long long)vcpu->stats.by_reason[slot], (unsigned long long)record.rip,
                text[0] != '\0' ? ", " : "", text);
}
