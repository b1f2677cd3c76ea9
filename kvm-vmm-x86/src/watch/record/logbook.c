/* The book of a run; see logbook.h. */
#include "watch/record/logbook.h"

#include <stdlib.h>
#include <string.h>

#include "host/clock.h"
#include "host/events.h"
#include "host/files.h"
#include "vm/vm.h"

/* How many exits are kept unless --log-size says otherwise: of each vCPU, and of all of a guest. */
enum { KEPT_EACH = 65536, KEPT_ALL = 4 * KEPT_EACH };

static struct logbook {
    const struct options *options;
    struct outfile log;
    struct logbook_page *pages[GUESTS_MAX][CPUS_MAX];
    struct log_output outputs[GUESTS_MAX];
    uint64_t start, end;       /* cycles */
    uint64_t start_ns, end_ns; /* the same moments on the host's clock */
} logbook;

static bool wants_exits(void)
{
    return logbook.options->log != NULL;
}

static bool wants_places(void)
{
    return logbook.options->stats || logbook.options->boot_report || logbook.options->log != NULL;
}

int logbook_open(const struct options *options, struct error *error)
{
    logbook = (struct logbook){.options = options};
    if (outfile_open(&logbook.log, options->log, error) < 0)
        return -1;
    for (unsigned i = 0; i < options->count && wants_exits(); i++)
        if (log_output_create(&logbook.outputs[i], error) < 0)
            return -1;
    return 0;
}

static uint32_t ring_size(void)
{
    unsigned cpus = logbook.options->guests[0].cpus > 0 ? logbook.options->guests[0].cpus : 1;

    if (logbook.options->log_size != 0)
        return (uint32_t)logbook.options->log_size;
    return cpus > KEPT_ALL / KEPT_EACH ? KEPT_ALL / cpus : KEPT_EACH;
}

static int add_page(void *context, struct vcpu *vcpu, void **state, struct error *error)
{
    struct logbook_page **place = &logbook.pages[vcpu->vm->index][vcpu->id], *page = *place;

    (void)context;
    if (page == NULL) {
        page = *place = calloc(1, sizeof **place);
        if (page == NULL)
            return error_set(error, "no memory for a log");
        if (wants_exits() && log_ring_create(&page->ring, ring_size(), error) < 0)
            return -1;
        if (wants_places() && log_tally_create(&page->tally, error) < 0)
            return -1;
    }
    page->resumed = clock_cycles();
    *state = page;
    return 0;
}

const struct logbook_page *logbook_page(unsigned guest, unsigned vcpu)
{
    return logbook.pages[guest][vcpu];
}

const struct log_output *logbook_printed(unsigned guest)
{
    return &logbook.outputs[guest];
}

/* On the path of every exit. */
static void add_exit(void *state, struct vcpu *vcpu, const struct exit_record *record, bool ended)
{
    struct logbook_page *page = state;

    (void)vcpu;
    (void)ended;
    page->exits++;
    page->guest_cycles += record->time - page->resumed;
    page->vmm_cycles += record->cost;
    page->resumed = record->time + record->cost;
    if (page->ring.records != NULL)
        *log_ring_next(&page->ring) = *record;
    if (page->tally.places != NULL)
        log_tally_add(&page->tally, record->rip, record->cost);
}

static void add_output(void *context, struct vm *vm, const uint8_t *bytes, size_t count)
{
    (void)context;
    if (logbook.outputs[vm->index].bytes != NULL)
        log_output_add(&logbook.outputs[vm->index], bytes, count, clock_cycles());
}

const struct observer logbook_observer = {.name = "log",
                                          .timed = true,
                                          .vcpu_made = add_page,
                                          .after_exit = add_exit,
                                          .output = add_output};

bool logbook_is_wanted(const struct options *options)
{
    return options->stats || options->boot_report || options->log != NULL;
}

void logbook_start(void)
{
    logbook.start = clock_cycles();
    logbook.start_ns = events_now();
}

void logbook_stop(void)
{
    logbook.end = clock_cycles();
    logbook.end_ns = events_now();
}

/* The counter's rate is what it turned out to be between the two ends of the run. */
void logbook_clock(struct log_run *run)
{
    uint64_t cycles = logbook.end - logbook.start;

    run->start = logbook.start;
    run->end = logbook.end;
    run->ns_per_cycle =
        cycles > 0 ? (double)(logbook.end_ns - logbook.start_ns) / (double)cycles : 0;
}

int logbook_write(const struct log_run *run, struct error *error)
{
    struct outfile *file = &logbook.log;
    struct log_sink *sink;
    int failure, closed;

    if (file->path == NULL)
        return 0;
    sink = calloc(1, sizeof *sink);
    if (sink == NULL)
        return error_set(error, "%s: no memory to write it", file->path);
    *sink = (struct log_sink){.write = outfile_write, .context = file};
    failure = outfile_begin(file);
    if (failure == 0) {
        log_trace_write(sink, run);
        failure = log_sink_finish(sink);
    }
    closed = outfile_close(file);
    free(sink);
    if (failure == 0)
        failure = closed;
    return failure == 0 ? 0
                        : error_set(error, "cannot write %s: %s", file->path, strerror(-failure));
}

void logbook_close(void)
{
    outfile_abandon(&logbook.log);
    for (unsigned g = 0; g < GUESTS_MAX; g++) {
        log_output_destroy(&logbook.outputs[g]);
        for (unsigned v = 0; v < CPUS_MAX; v++) {
            if (logbook.pages[g][v] == NULL)
                continue;
            log_ring_destroy(&logbook.pages[g][v]->ring);
            log_tally_destroy(&logbook.pages[g][v]->tally);
            free(logbook.pages[g][v]);
        }
    }
    logbook = (struct logbook){.log.fd = -1};
}
