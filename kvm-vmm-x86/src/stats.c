/* The table of --stats; see stats.h. The guest has ended: nothing changes any more. */
#include "stats.h"

#include <stdio.h>
#include <string.h>

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

static void print_device(const struct vm *vm, const char *what, const char *name,
                         const struct bus_counters *c)
{
    if (c->reads + c->writes > 0)
        vcpu_printf(vm->index, "  %s %-*s %12llu read %12llu written", what, 30 - (int)strlen(what),
                    name, (count)c->reads, (count)c->writes);
}

static void print_register(const struct vm *vm, const struct bus_range *range, unsigned index,
                           bool write, const struct bus_counters *c)
{
    const char *name = bus_register_name(range, index, write);
    char text[64];

    if (name != NULL)
        snprintf(text, sizeof text, "%s.%s", range->ops->name, name);
    else if (index < BUS_REGISTERS_MAX - 1)
        snprintf(text, sizeof text, "%s.%#x", range->ops->name, index);
    else
        snprintf(text, sizeof text, "%s, other registers", range->ops->name);
    print_device(vm, "register", text, c);
}

/* A row for each register that was reached; two where it is called otherwise when it is read. */
static void print_registers(const struct vm *vm, const struct bus_range *range)
{
    for (unsigned i = 0; range->ops->registers != NULL && i < BUS_REGISTERS_MAX; i++) {
        const struct bus_counters *c = &range->counters[i];
        const char *read = bus_register_name(range, i, false);

        if (read == bus_register_name(range, i, true)) {
            print_register(vm, range, i, true, c);
            continue;
        }
        print_register(vm, range, i, false, &(struct bus_counters){.reads = c->reads});
        print_register(vm, range, i, true, &(struct bus_counters){.writes = c->writes});
    }
}

static void print_range(const struct vm *vm, const struct bus_range *range)
{
    struct bus_counters sum = bus_range_counters(range);

    print_device(vm, "device", range->ops->name, &sum);
    print_registers(vm, range);
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
        print_range(vm, &bus->ranges[i]);
    print_device(vm, "no", "port device", &bus->unclaimed[BUS_PIO]);
    print_device(vm, "no", "memory device", &bus->unclaimed[BUS_MMIO]);
}
