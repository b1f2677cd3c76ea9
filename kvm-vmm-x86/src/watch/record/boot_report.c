/* The report of --boot-report; see boot_report.h. */
#include "watch/record/boot_report.h"

#include <string.h>

#include "boot/linux/kernel_cache.h"
#include "console/console.h"
#include "host/clock.h"
#include "host/events.h"
#include "host/files/cache.h"
#include "watch/record/record.h"
#include "watch/record/stats.h"

/* A guest's boot. Until the guest runs, the thread that makes it writes this; then the vCPU that
 * prints, under the VM's lock; at last the vCPU that ends. */
static struct boot_report {
    uint64_t start; /* of the process */
    struct boot_phases phases[GUESTS_MAX];
    uint64_t at_init[GUESTS_MAX][BUS_RANGES_MAX]; /* accesses until init, by range of the bus */
    struct boot_codes codes[GUESTS_MAX];          /* of the first vCPU; written by its thread */
} boot_report;

static uint64_t exits_of(const struct vm *vm)
{
    uint64_t exits = 0;

    for (unsigned i = 0; i < vm->vcpus_made; i++)
        exits += __atomic_load_n(&vm->vcpus[i].stats.exits, __ATOMIC_RELAXED);
    return exits;
}

/* A phase begins now. `vm` is NULL before the VM exists. */
static void mark(unsigned guest, const struct vm *vm, enum boot_phase phase)
{
    struct boot_moment *moment = &boot_report.phases[guest].moments[phase];

    if (moment->ns != 0)
        return; /* of a restarted guest the first boot is reported */
    moment->ns = events_now() - boot_report.start;
    if (vm != NULL && phase >= BOOT_ENTERED)
        moment->exits = exits_of(vm);
}

void boot_report_begin(unsigned guests)
{
    boot_report.start = events_now() - clock_process_ns();
    for (unsigned i = 0; i < guests; i++)
        mark(i, NULL, BOOT_PROCESS);
}

static void on_phase(void *context, struct vm *vm, enum vm_phase phase)
{
    static const enum boot_phase phases[] = {[VM_FILES] = BOOT_FILES,
                                             [VM_MEMORY] = BOOT_VM,
                                             [VM_LOADED] = BOOT_LOADED,
                                             [VM_ENTERED] = BOOT_ENTERED};

    (void)context;
    mark(vm->index, vm, phases[phase]);
}

static void on_output(void *context, struct vm *vm, const uint8_t *bytes, size_t size)
{
    enum boot_phase phase = boot_phases_output(&boot_report.phases[vm->index], bytes, size);
    uint64_t unclaimed;

    (void)context;
    if (phase == BOOT_PHASES)
        return;
    mark(vm->index, vm, phase);
    if (phase == BOOT_INIT)
        record_reached(vm->index, boot_report.at_init[vm->index], &unclaimed);
}

static void after_exit(void *state, struct vcpu *vcpu, const struct exit_record *r, bool ended)
{
    (void)state;
    (void)ended;
    if (vcpu->id == 0 && r->space == EXIT_PORT && r->address == DEBUGCON_POST_PORT && r->write)
        boot_codes_add(&boot_report.codes[vcpu->vm->index], (uint8_t)r->value,
                       events_now() - boot_report.start, exits_of(vcpu->vm));
}

static void on_ended(void *context, struct vm *vm)
{
    (void)context;
    mark(vm->index, vm, BOOT_END);
}

const struct observer boot_report_observer = {.name = "boot report",
                                              .after_exit = after_exit,
                                              .phase = on_phase,
                                              .output = on_output,
                                              .ended = on_ended};

static void print_phases(const struct vm *vm, const struct boot_phases *p)
{
    uint64_t before = 0;

    vcpu_printf(vm->index, "[guest %u] %s: its boot        took ms      at ms      exits",
                vm->index, vm->name);
    for (unsigned i = 0; i < BOOT_PHASES; i++) {
        const struct boot_moment *m = &p->moments[i];

        if (m->ns == 0)
            continue;
        vcpu_printf(vm->index, "  phase %-24s %10.3f %10.3f %10lu", boot_phases_name(i),
                    (double)(m->ns - before) / 1e6, (double)m->ns / 1e6, m->exits);
        before = m->ns;
    }
}

static void print_codes(const struct vm *vm)
{
    const struct boot_codes *c = &boot_report.codes[vm->index];

    for (unsigned i = 0; i < c->count; i++)
        vcpu_printf(vm->index, "  POST  %#04x %30s %10.3f %10lu", c->at[i].code, "",
                    (double)c->at[i].moment.ns / 1e6, c->at[i].moment.exits);
    if (c->dropped > 0)
        vcpu_printf(vm->index, "  POST  %u more", c->dropped);
}

static void print_devices(const struct vm *vm, const uint64_t all[], uint64_t unclaimed)
{
    const struct bus *bus = &vm->machine.bus;

    for (unsigned i = 0; i < bus->count; i++)
        if (all[i] > 0)
            vcpu_printf(vm->index, "  device %-23s %10lu until init %10lu in all",
                        bus->ranges[i].ops->name, boot_report.at_init[vm->index][i], all[i]);
    if (unclaimed > 0)
        vcpu_printf(vm->index, "  device %-46s %10lu in all", "(none there)", unclaimed);
}

static uint64_t until_init(const struct vm *vm, const struct bus_ops *ops)
{
    const struct bus *bus = &vm->machine.bus;
    uint64_t sum = 0;

    for (unsigned i = 0; i < bus->count; i++)
        sum += bus->ranges[i].ops == ops ? boot_report.at_init[vm->index][i] : 0;
    return sum;
}

static void print_advice(const struct vm *vm, const struct boot_phases *p, uint64_t unclaimed)
{
    enum kernel_cache_use use = kernel_cache_used();
    char cache[PATH_MAX];
    struct boot_facts facts = {.unpacked_itself = vm->unpacked_itself,
                               .unpacked =
                                   use == KERNEL_CACHE_WRITTEN || use == KERNEL_CACHE_FAILED,
                               .not_kept = use == KERNEL_CACHE_FAILED,
                               .cache = cache_folder(cache),
                               .cpus = vm->vcpu_count,
                               .host_cpus = thread_cpus(),
                               .unclaimed = unclaimed,
                               .rtc = until_init(vm, &rtc_ops)};
    struct boot_advice advice;

    boot_phases_advise(p, &facts, &advice);
    for (unsigned i = 0; i < advice.count; i++)
        vcpu_printf(vm->index, "  advice: %s", advice.lines[i]);
}

void boot_report_print(const struct vm *vm, const struct log_run *run,
                       const struct log_guest *guest)
{
    struct boot_phases *p = &boot_report.phases[vm->index];
    uint64_t all[BUS_RANGES_MAX], unclaimed;

    record_reached(vm->index, all, &unclaimed);
    mark(vm->index, vm, BOOT_END); /* for a guest that never ran */
    kernel_cache_finish();         /* so that the result is known */
    print_phases(vm, p);
    print_codes(vm);
    print_devices(vm, all, unclaimed);
    stats_print_functions(run, guest);
    print_advice(vm, p, unclaimed);
}
