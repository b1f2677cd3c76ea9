/* The record of a run; see record.h. */
#include "watch/record/record.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "console/console.h"
#include "host/clock.h"
#include "host/events.h"
#include "host/files/files.h"
#include "host/kvm/stats.h"
#include "vm/exits.h"
#include "watch/explain/guest_image.h"
#include "watch/record/exit_names.h"
#include "watch/record/trace_json.h"

/* The exits kept by default (--log-size changes it): for each vCPU, and for all vCPUs of a guest.
 */
enum { KEPT_EACH = 65536, KEPT_ALL = 4 * KEPT_EACH };

enum { WRITE_SIZE = 32 * 1024 };

static struct record {
    struct record_config config;
    struct outfile log;
    struct log_run run;
    uint64_t start_ns, end_ns; /* run.start and run.end on the host's clock */
    bool hurried;              /* the program was told to end before the log is written */
    int failure;               /* the first failure to write the log */
} record;

int record_open(const struct record_config *config, struct error *error)
{
    record.config = *config;
    record.run.reason_name = exits_name;
    if (outfile_open(&record.log, config->log, error) < 0)
        return -1;
    for (unsigned i = 0; i < config->guests && config->log != NULL; i++)
        if (log_output_create(&record.run.guests[i].output, error) < 0)
            return -1;
    return 0;
}

bool record_is_wanted(void)
{
    return record.config.stats || record.config.boot_report || record.config.log != NULL;
}

static uint32_t ring_size(unsigned vcpus)
{
    if (record.config.log_size != 0)
        return (uint32_t)record.config.log_size;
    return vcpus > KEPT_ALL / KEPT_EACH ? KEPT_ALL / vcpus : KEPT_EACH;
}

static int make_vcpu(struct log_guest *guest, unsigned vcpus, struct error *error)
{
    const struct record_config *o = &record.config;
    struct log_vcpu *v = calloc(1, sizeof *v);

    if (v == NULL)
        return error_set(error, "no memory to keep exits in");
    v->guest = guest;
    guest->vcpus[guest->vcpu_count++] = v;
    if (o->stats || o->boot_report) {
        v->accesses = calloc(1, sizeof *v->accesses);
        if (v->accesses == NULL)
            return error_set(error, "no memory to count accesses in");
    }
    if (o->log != NULL && log_ring_create(&v->ring, ring_size(vcpus), error) < 0)
        return -1;
    return log_tally_create(&v->tally, error);
}

/* vCPUs are made in order. A vCPU of a restarted guest continues the old record. */
static int on_vcpu(void *context, struct vcpu *vcpu, void **state, struct error *error)
{
    struct log_guest *guest = &record.run.guests[vcpu->vm->index];

    (void)context;
    if (vcpu->id == guest->vcpu_count && make_vcpu(guest, vcpu->vm->vcpu_count, error) < 0)
        return -1;
    *state = guest->vcpus[vcpu->id];
    guest->vcpus[vcpu->id]->resumed = clock_cycles();
    guest->vcpus[vcpu->id]->counted = &vcpu->cpu;
    return 0;
}

/* Adds a counter of a vCPU to its guest's; all vCPUs have the same counters. */
static void add_counter(void *context, const char *name, uint64_t value)
{
    struct log_guest *guest = context;
    struct log_counter *c = guest->counters;
    unsigned i = 0;

    while (i < guest->counter_count && strncmp(c[i].name, name, sizeof c[i].name - 1) != 0)
        i++;
    if (value == 0 || i == LOG_COUNTERS_MAX)
        return;
    if (i == guest->counter_count)
        snprintf(c[guest->counter_count++].name, sizeof c[i].name, "%s", name);
    c[i].value += value;
}

/* KVM's counters end with the vCPU; each is added once. */
static void add_counters(struct log_guest *guest, struct log_vcpu *v)
{
    if (v->counted != NULL)
        kvm_stats_read(v->counted, add_counter, guest);
    v->counted = NULL;
}

static void on_vcpu_gone(void *state)
{
    struct log_vcpu *v = state;

    add_counters(v->guest, v);
}

/* Called for every exit. */
static void on_exit_handled(void *state, struct vcpu *vcpu, const struct exit_record *r, bool ended)
{
    struct log_vcpu *v = state;

    (void)ended;
    v->exits++;
    v->by_reason[r->reason < LOG_REASONS ? r->reason : LOG_REASONS - 1]++;
    v->guest_cycles += r->time - v->resumed;
    v->vmm_cycles += r->cost;
    v->resumed = r->time + r->cost;
    if (v->ring.records != NULL)
        *log_ring_next(&v->ring) = *r;
    if (v->accesses != NULL)
        log_accesses_add(v->accesses, &vcpu->vm->machine.bus, r);
    log_tally_add(&v->tally, r->rip, r->cost);
}

static void on_output(void *context, struct vm *vm, const uint8_t *bytes, size_t count)
{
    struct log_output *output = &record.run.guests[vm->index].output;

    (void)context;
    if (output->bytes != NULL)
        log_output_add(output, bytes, count, clock_cycles());
}

const struct observer record_observer = {.name = "record",
                                         .timed = true,
                                         .vcpu_made = on_vcpu,
                                         .vcpu_gone = on_vcpu_gone,
                                         .after_exit = on_exit_handled,
                                         .output = on_output};

/* Prints an exit: its number, the count of its kind, address, device, register and value. */
static void print_exit(void *state, struct vcpu *vcpu, const struct exit_record *r, bool ended)
{
    uint32_t slot = r->reason < EXIT_REASONS ? r->reason : EXIT_REASONS - 1;
    char text[160];

    (void)state;
    (void)ended;
    log_exit_describe(&vcpu->vm->machine.bus, r, text, sizeof text);
    vcpu_printf(vcpu->vm->index, "[guest %u] exit %lu: %s %lu, rip %#lx%s%s", vcpu->vm->index,
                vcpu->stats.exits, exits_name(r->reason), vcpu->stats.by_reason[slot], r->rip,
                text[0] != '\0' ? ", " : "", text);
}

const struct observer record_verbose_observer = {.name = "verbose", .after_exit = print_exit};

void record_reached(unsigned guest, uint64_t ranges[BUS_RANGES_MAX], uint64_t *unclaimed_ports)
{
    const struct log_guest *g = &record.run.guests[guest];

    memset(ranges, 0, BUS_RANGES_MAX * sizeof *ranges);
    *unclaimed_ports = 0;
    for (unsigned v = 0; v < g->vcpu_count && g->vcpus[v]->accesses != NULL; v++) {
        const struct log_accesses *a = g->vcpus[v]->accesses;

        for (unsigned i = 0; i < BUS_RANGES_MAX; i++)
            ranges[i] += log_accesses_of(a, i).reads + log_accesses_of(a, i).writes;
        *unclaimed_ports += __atomic_load_n(&a->unclaimed[BUS_PIO].reads, __ATOMIC_RELAXED) +
                            __atomic_load_n(&a->unclaimed[BUS_PIO].writes, __ATOMIC_RELAXED);
    }
}

void record_start(void)
{
    record.run.start = clock_cycles();
    record.start_ns = events_now();
}

/* The rate of the cycle counter is computed from the start and the end of the run. */
void record_stop(void)
{
    uint64_t cycles;

    record.run.end = clock_cycles();
    record.end_ns = events_now();
    cycles = record.run.end - record.run.start;
    record.run.ns_per_cycle =
        cycles > 0 ? (double)(record.end_ns - record.start_ns) / (double)cycles : 0;
}

static void describe_end(const struct vm_end *end, char *text, size_t size)
{
    static const char *const words[] = {
        [END_EXIT] = "ended by itself",   [END_RESET] = "asked for a restart",
        [END_HALT] = "halted for ever",   [END_LEFT] = "left by the user",
        [END_CODE] = "ended with status", [END_SIGNAL] = "ended by signal",
        [END_SIBLING] = "not started",    [END_CRASH] = "crashed",
    };
    const char *word = end->kind < sizeof words / sizeof words[0] ? words[end->kind] : NULL;

    if (end->message[0] != '\0')
        snprintf(text, size, "%s", end->message);
    else if (end->kind == END_CODE || end->kind == END_SIGNAL)
        snprintf(text, size, "%s %d", word, end->code);
    else
        snprintf(text, size, "%s", word != NULL ? word : "ended");
}

static int larger_first(const void *a, const void *b)
{
    const struct log_counter *x = a, *y = b;

    return x->value != y->value ? (x->value < y->value ? 1 : -1) : strcmp(x->name, y->name);
}

static int finish_guest(struct log_guest *guest, struct vm *vm, struct error *error)
{
    struct vm_end end = vm_end_of(vm);
    /* While a restart has not ended, its thread frees the vCPUs, and the VM shown has none. */
    unsigned count = vm->vcpus_made > 0 ? guest->vcpu_count : 0;

    guest->index = vm->index;
    guest->name = vm->name;
    guest->bus = &vm->machine.bus;
    guest->symbols = guest_image_symbols(vm);
    describe_end(&end, guest->end, sizeof guest->end);
    if (log_tally_create(&guest->functions, error) < 0)
        return -1;
    for (unsigned i = 0; i < count; i++) {
        add_counters(guest, guest->vcpus[i]);
        log_tally_fold(&guest->functions, &guest->vcpus[i]->tally, guest->symbols);
    }
    guest->function_count = log_tally_sort(&guest->functions);
    qsort(guest->counters, guest->counter_count, sizeof guest->counters[0], larger_first);
    return 0;
}

const struct log_run *record_finish(struct vm *vms, unsigned count, struct error *error)
{
    record.run.count = count;
    for (unsigned i = 0; i < count; i++)
        if (finish_guest(&record.run.guests[i], &vms[i], error) < 0)
            return NULL;
    return &record.run;
}

/* Writing a large log takes seconds. If the program is told to end meanwhile, it gives up the log;
 * if that is how the guests ended, it does so when told a second time. */
static ssize_t write_slice(void *context, const char *bytes, size_t count)
{
    if (record.failure == 0 &&
        (!events_run_patiently(0) || (!record.hurried && events_is_hurried())))
        record.failure = -EINTR;
    if (record.failure == 0)
        record.failure = outfile_write(context, bytes, count);
    return record.failure == 0 ? (ssize_t)count : 0;
}

int record_write(const struct log_run *run, struct error *error)
{
    struct outfile *file = &record.log;
    FILE *to;
    int closed;

    if (file->path == NULL)
        return 0;
    to = fopencookie(file, "w", (cookie_io_functions_t){.write = write_slice});
    if (to == NULL)
        return error_set(error, "%s: no memory to write it", file->path);
    (void)setvbuf(to, NULL, _IOFBF, WRITE_SIZE);
    record.hurried = events_is_hurried();
    record.failure = outfile_begin(file);
    if (record.failure == 0)
        log_trace_write(to, run);
    (void)fclose(to);
    closed = outfile_close(file);
    if (record.failure == 0)
        record.failure = closed;
    return record.failure == 0
               ? 0
               : error_set(error, "cannot write %s: %s", file->path,
                           record.failure == -EINTR ? "the run had to end before it was written"
                                                    : strerror(-record.failure));
}

void record_close(void)
{
    if (!record_is_wanted())
        return; /* nothing was begun: do not touch its memory */
    outfile_abandon(&record.log);
    log_run_destroy(&record.run);
    record.config = (struct record_config){0};
}
