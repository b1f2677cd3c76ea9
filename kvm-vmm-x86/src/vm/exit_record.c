/* What an exit was; see exit_record.h. Section 5 of Documentation/virt/kvm/api.rst. */
#include "vm/exit_record.h"

#include <string.h>

#include "base/regs.h"

/* What KVM shares of an access has room for 8 bytes at least, whatever its size. */
static uint64_t value_of(const uint8_t *data, uint32_t size)
{
    uint64_t value;

    memcpy(&value, data, sizeof value);
    return size < sizeof value ? value & ((UINT64_C(1) << 8 * size) - 1) : value;
}

void exit_record_take(struct exit_record *record, const struct kvm_run *run)
{
    record->time = record->cost = 0;
    record->rip = run->s.regs.regs.rip;
    record->address = record->value = 0;
    record->count = 1;
    record->reason = (uint8_t)(run->exit_reason < UINT8_MAX ? run->exit_reason : UINT8_MAX);
    record->space = EXIT_NOWHERE;
    record->size = 0;
    record->write = false;
    switch (run->exit_reason) {
    case KVM_EXIT_IO:
        record->space = EXIT_PORT;
        record->address = run->io.port;
        record->count = run->io.count;
        record->size = run->io.size;
        record->write = run->io.direction == KVM_EXIT_IO_OUT;
        record->value = value_of((const uint8_t *)run + run->io.data_offset, run->io.size);
        break;
    case KVM_EXIT_MMIO:
        record->space = EXIT_MEMORY;
        record->address = run->mmio.phys_addr;
        record->size = (uint8_t)run->mmio.len;
        record->write = run->mmio.is_write;
        record->value = value_of(run->mmio.data, run->mmio.len);
        break;
    case KVM_EXIT_X86_RDMSR:
    case KVM_EXIT_X86_WRMSR:
        record->space = EXIT_MSR;
        record->address = run->msr.index;
        record->size = sizeof run->msr.data;
        record->write = run->exit_reason == KVM_EXIT_X86_WRMSR;
        record->value = run->msr.data;
        break;
    default:
        break;
    }
}
