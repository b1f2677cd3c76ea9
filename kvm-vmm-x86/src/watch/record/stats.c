/* The table of --stats; see stats.h. The guest has ended: nothing changes any more. */
#include "watch/record/stats.h"

#include <stdio.h>
#include <string.h>

#include "console/console.h"
#include "vm/exits.h"
#include "watch/record/functions.h"

typedef unsigned long long count;

enum { ROWS_MAX = 12 }; /* of a table whose length the guest decides */

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
        vcpu_printf(vm->index, "  %s %-*s %12llu read %12llu written", what, 36 - (int)strlen(what),
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

/* The places where nobody is, each where there is room to count it. */
static void print_strays(const struct vm *vm, const struct bus *bus)
{
    print_device(vm, "no", "port device", &bus->unclaimed[BUS_PIO]);
    print_device(vm, "no", "memory device", &bus->unclaimed[BUS_MMIO]);
    for (unsigned i = 0; i < BUS_STRAYS_MAX; i++) {
        const struct bus_stray *s = &bus->strays[i];
        char text[32];

        snprintf(text, sizeof text, "%#llx", (count)bus_stray_address(s));
        if (s->key != 0)
            print_device(vm, bus_stray_space(s) == BUS_PIO ? "nobody at port" : "nobody at address",
                         text, &s->counters);
    }
}

static void print_time(const struct vm *vm, const struct log_run *run, const struct log_vcpu *v)
{
    double total = (double)v->guest_cycles + (double)v->vmm_cycles;

    if (total == 0)
        return;
    vcpu_printf(vm->index, "  time in guest %19.3f ms %5.1f %%",
                (double)v->guest_cycles * run->ns_per_cycle / 1e6,
                100 * (double)v->guest_cycles / total);
    vcpu_printf(vm->index, "  time in VMM   %19.3f ms %5.1f %%",
                (double)v->vmm_cycles * run->ns_per_cycle / 1e6,
                100 * (double)v->vmm_cycles / total);
}

void stats_print_functions(const struct vm *vm, const struct log_run *run,
                           const struct log_guest *guest)
{
    uint64_t all = 0, shown = 0;

    for (unsigned i = 0; i < guest->vcpu_count; i++)
        all += guest->vcpus[i].exits;
    for (unsigned i = 0; i < guest->function_count && i < ROWS_MAX; i++) {
        const struct log_place *f = &guest->functions[i];
        char name[64];

        log_functions_name(guest->symbols, f->rip, name, sizeof name);
        vcpu_printf(vm->index, "  function %-21s %12llu %5.1f %%   mean cost %.3f us", name,
                    (count)f->count, 100.0 * (double)f->count / (double)all,
                    (double)f->cost * run->ns_per_cycle / 1e3 / (double)f->count);
        shown += f->count;
    }
    if (shown < all)
        vcpu_printf(vm->index, "  function %-21s %12llu %5.1f %%", "(others)", (count)(all - shown),
                    100.0 * (double)(all - shown) / (double)all);
}

/* What KVM counted itself: most exits of the CPU are over before the VMM hears of them. */
static void print_counters(const struct vm *vm, const struct log_guest *guest)
{
    uint64_t all = 0, ours = 0;

    for (unsigned i = 0; i < guest->vcpu_count; i++)
        ours += guest->vcpus[i].exits;
    for (unsigned i = 0; i < guest->counter_count; i++)
        if (strcmp(guest->counters[i].name, "exits") == 0)
            all = guest->counters[i].value;
    if (all > 0)
        vcpu_printf(vm->index,
                    "  KVM: %.1f %% of the CPU's exits reached the VMM; in shares of them:",
                    100.0 * (double)ours / (double)all);
    for (unsigned i = 0; i < guest->counter_count && i < ROWS_MAX && all > 0; i++)
        vcpu_printf(vm->index, "  KVM %-26s %12llu %5.1f %%", guest->counters[i].name,
                    (count)guest->counters[i].value,
                    100.0 * (double)guest->counters[i].value / (double)all);
}

void stats_print(const struct vm *vm, const struct log_run *run, const struct log_guest *guest)
{
    const struct bus *bus = &vm->machine.bus;

    for (unsigned i = 0; i < vm->vcpu_count; i++) {
        const struct vcpu_stats *s = &vm->vcpus[i].stats;

        vcpu_printf(vm->index, "[guest %u] %s, vCPU %u: %llu exits", vm->index, vm->name, i,
                    (count)s->exits);
        print_reasons(vm, s);
        print_time(vm, run, &guest->vcpus[i]);
    }
    for (unsigned i = 0; i < bus->count; i++)
        print_range(vm, &bus->ranges[i]);
    print_strays(vm, bus);
    stats_print_functions(vm, run, guest);
    print_counters(vm, guest);
}
