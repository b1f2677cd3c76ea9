/* The table of --stats; see stats.h. The guest has ended, so the numbers do not change any more. */
#include "watch/record/stats.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "console/console.h"

enum { ROWS_MAX = 12 }; /* of a table whose length depends on the guest */

static void print_vcpu(const struct log_run *run, const struct log_guest *guest, unsigned id)
{
    const struct log_vcpu *v = guest->vcpus[id];
    double total = (double)v->guest_cycles + (double)v->vmm_cycles;

    vcpu_printf(guest->index, "[guest %u] %s, vCPU %u: %lu exits", guest->index, guest->name, id,
                v->exits);
    for (uint32_t reason = 0; reason < LOG_REASONS; reason++)
        if (v->by_reason[reason] > 0)
            vcpu_printf(guest->index, "  exits %-24s %12lu", run->reason_name(reason),
                        v->by_reason[reason]);
    if (total == 0)
        return;
    vcpu_printf(guest->index, "  time in guest %19.3f ms %5.1f %%",
                (double)v->guest_cycles * run->ns_per_cycle / 1e6,
                100 * (double)v->guest_cycles / total);
    vcpu_printf(guest->index, "  time in VMM   %19.3f ms %5.1f %%",
                (double)v->vmm_cycles * run->ns_per_cycle / 1e6,
                100 * (double)v->vmm_cycles / total);
}

static void print_count(const struct log_guest *guest, const char *what, const char *name,
                        struct log_count c)
{
    if (c.reads + c.writes > 0)
        vcpu_printf(guest->index, "  %s %-*s %12lu read %12lu written", what,
                    36 - (int)strlen(what), name, c.reads, c.writes);
}

static void print_register(const struct log_guest *guest, const struct bus_range *range,
                           unsigned index, bool write, struct log_count c)
{
    const char *name = bus_register_name(range, index, write);
    char text[64];

    if (name != NULL)
        snprintf(text, sizeof text, "%s.%s", range->ops->name, name);
    else if (index < BUS_REGISTERS_MAX - 1)
        snprintf(text, sizeof text, "%s.%#x", range->ops->name, index);
    else
        snprintf(text, sizeof text, "%s, other registers", range->ops->name);
    print_count(guest, "register", text, c);
}

/* Prints a row for each register that was accessed; two if its name differs for reads. */
static void print_device(const struct log_guest *guest, const struct log_accesses *a, unsigned r)
{
    const struct bus_range *range = &guest->bus->ranges[r];

    print_count(guest, "device", range->ops->name, log_accesses_of(a, r));
    for (unsigned i = 0; range->ops->registers != NULL && i < BUS_REGISTERS_MAX; i++) {
        struct log_count c = a->registers[r][i];

        if (bus_register_name(range, i, false) == bus_register_name(range, i, true)) {
            print_register(guest, range, i, true, c);
            continue;
        }
        print_register(guest, range, i, false, (struct log_count){.reads = c.reads});
        print_register(guest, range, i, true, (struct log_count){.writes = c.writes});
    }
}

static void print_accesses(const struct log_guest *guest)
{
    struct log_accesses *a = calloc(1, sizeof *a);

    for (unsigned v = 0; a != NULL && v < guest->vcpu_count; v++)
        log_accesses_merge(a, guest->vcpus[v]->accesses);
    for (unsigned i = 0; a != NULL && i < guest->bus->count; i++)
        print_device(guest, a, i);
    for (unsigned i = 0; a != NULL && i < BUS_SPACES; i++)
        print_count(guest, "no", i == BUS_PIO ? "port device" : "memory device", a->unclaimed[i]);
    for (unsigned i = 0; a != NULL && i < LOG_ADDRESSES_MAX; i++) {
        const struct log_address *place = &a->addresses[i];
        char text[32];

        snprintf(text, sizeof text, "%#lx", place->address);
        print_count(guest, place->space == BUS_PIO ? "no device at port" : "no device at address",
                    text, place->count);
    }
    free(a);
}

static uint64_t all_exits(const struct log_guest *guest)
{
    uint64_t all = 0;

    for (unsigned i = 0; i < guest->vcpu_count; i++)
        all += guest->vcpus[i]->exits;
    return all;
}

void stats_print_functions(const struct log_run *run, const struct log_guest *guest)
{
    uint64_t all = all_exits(guest), shown = 0;

    for (unsigned i = 0; i < guest->function_count && i < ROWS_MAX; i++) {
        const struct log_place *f = &guest->functions.places[i];
        char name[64];

        symbols_name_rip(guest->symbols, f->rip, name, sizeof name);
        vcpu_printf(guest->index, "  function %-21s %12lu %5.1f %%   mean cost %.3f us", name,
                    f->count, 100.0 * (double)f->count / (double)all,
                    (double)f->cost * run->ns_per_cycle / 1e3 / (double)f->count);
        shown += f->count;
    }
    if (shown < all)
        vcpu_printf(guest->index, "  function %-21s %12lu %5.1f %%", "(others)", (all - shown),
                    100.0 * (double)(all - shown) / (double)all);
}

/* Prints KVM's own counters: KVM handles most exits of the CPU itself. */
static void print_counters(const struct log_guest *guest)
{
    uint64_t all = 0;

    for (unsigned i = 0; i < guest->counter_count; i++)
        if (strcmp(guest->counters[i].name, "exits") == 0)
            all = guest->counters[i].value;
    if (all > 0)
        vcpu_printf(guest->index,
                    "  KVM: %.1f %% of the CPU's exits reached the VMM; in shares of them:",
                    100.0 * (double)all_exits(guest) / (double)all);
    for (unsigned i = 0; i < guest->counter_count && i < ROWS_MAX && all > 0; i++)
        vcpu_printf(guest->index, "  KVM %-26s %12lu %5.1f %%", guest->counters[i].name,
                    guest->counters[i].value,
                    100.0 * (double)guest->counters[i].value / (double)all);
}

void stats_print(const struct log_run *run, const struct log_guest *guest)
{
    for (unsigned i = 0; i < guest->vcpu_count; i++)
        print_vcpu(run, guest, i);
    print_accesses(guest);
    stats_print_functions(run, guest);
    print_counters(guest);
}
