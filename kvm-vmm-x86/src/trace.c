/* A line for each exit; see trace.h. */
#include "trace.h"

#include <stdio.h>
#include <string.h>

#include "console.h"
#include "exits.h"
#include "vm.h"

static uint64_t value_of(const uint8_t *data, uint32_t size)
{
    uint64_t value = 0;

    memcpy(&value, data, size < sizeof value ? size : sizeof value);
    return value;
}

static const char *device_name(const struct vcpu *vcpu, enum bus_space space, uint64_t address)
{
    const struct bus_range *range = bus_find(&vcpu->vm->machine.bus, space, address);

    return range != NULL ? range->ops->name : "nobody";
}

static void describe_io(const struct vcpu *vcpu, char *text, size_t size)
{
    const struct kvm_run *run = vcpu->cpu.run;
    const uint8_t *data = (const uint8_t *)run + run->io.data_offset;
    bool out = run->io.direction == KVM_EXIT_IO_OUT;
    const char *name = device_name(vcpu, BUS_PIO, run->io.port);
    int n = snprintf(text, size, "%s port %#x %s", out ? "out" : "in", run->io.port, name);

    if (strcmp(name, serial_ops.name) == 0)
        n += snprintf(text + n, size - (size_t)n, ".%s",
                      serial_register_name((uint64_t)run->io.port - SERIAL_PORT, out));
    n += snprintf(text + n, size - (size_t)n, " value %#llx",
                  (unsigned long long)value_of(data, run->io.size));
    if (run->io.count > 1)
        snprintf(text + n, size - (size_t)n, " and %u more", run->io.count - 1);
}

static void describe_mmio(const struct vcpu *vcpu, char *text, size_t size)
{
    const struct kvm_run *run = vcpu->cpu.run;

    snprintf(text, size, "%s address %#llx %s value %#llx", run->mmio.is_write ? "write" : "read",
             (unsigned long long)run->mmio.phys_addr,
             device_name(vcpu, BUS_MMIO, run->mmio.phys_addr),
             (unsigned long long)value_of(run->mmio.data, run->mmio.len));
}

void trace_exit(const struct vcpu *vcpu)
{
    uint32_t reason = vcpu->cpu.run->exit_reason;
    uint32_t slot = reason < EXIT_REASONS ? reason : EXIT_REASONS - 1;
    char text[160] = "";

    if (reason == KVM_EXIT_IO)
        describe_io(vcpu, text, sizeof text);
    else if (reason == KVM_EXIT_MMIO)
        describe_mmio(vcpu, text, sizeof text);
    vcpu_printf(vcpu->vm->index, "[guest %u] exit %llu: %s %llu, rip %#llx%s%s", vcpu->vm->index,
                (unsigned long long)vcpu->stats.exits, exits_name(reason),
                (unsigned long long)vcpu->stats.by_reason[slot],
                (unsigned long long)vcpu->cpu.run->s.regs.regs.rip, text[0] != '\0' ? ", " : "",
                text);
}
