/* The table of --stats; see stats.h. The guest has ended: nothing changes any more. */
#include "stats.h"

#include "console.h"
#include "exits.h"

typedef unsigned long long count;

static void print_reasons(const struct vm *vm, const struct vcpu_stats *s)
{
    for (uint32_t reason = 0; reason < EXIT_REASONS; reason++)
        if (s->by_reason[reason] > 0)
            vcpu_printf(vm->index, "  exits %-24s %12llu", exits_name(reason),
                        (count)s->by_reason[reason]);
}

static void print_device(const struct vm *vm, const char *name, const struct bus_counters *c)
{
    if (c->reads + c->writes > 0)
        vcpu_printf(vm->index, "  device %-23s %12llu read %12llu written", name, (count)c->reads,
                    (count)c->writes);
}

static void print_time(const struct vm *vm, const struct vcpu_stats *s)
{
    uint64_t total = s->guest_ns + s->vmm_ns;

    if (total == 0)
        return;
    vcpu_printf(vm->index, "  time in guest %19.3f ms %5.1f %%", (double)s->guest_ns / 1e6,
                100.0 * (double)s->guest_ns / (double)total);
    vcpu_printf(vm->index, "  time in VMM   %19.3f ms %5.1f %%", (double)s->vmm_ns / 1e6,
                100.0 * (double)s->vmm_ns / (double)total);
}

void stats_print(const struct vm *vm)
{
    const struct bus *bus = &vm->machine.bus;

    for (unsigned i = 0; i < vm->vcpu_count; i++) {
        const struct vcpu_stats *s = &vm->vcpus[i].stats;

        vcpu_printf(vm->index, "[guest %u] %s, vCPU %u: %llu exits", vm->index, vm->name, i,
                    (count)s->exits);
        print_reasons(vm, s);
        print_time(vm, s);
    }
    for (unsigned i = 0; i < bus->count; i++)
        print_device(vm, bus->ranges[i].ops->name, &bus->ranges[i].counters);
    print_device(vm, "no port device", &bus->unclaimed[BUS_PIO]);
    print_device(vm, "no memory device", &bus->unclaimed[BUS_MMIO]);
}
