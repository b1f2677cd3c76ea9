/* What there is to say about guests that have ended; see logbook_view.h. */
#include "watch/record/logbook_view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/kvm_stats.h"
#include "vm/exits.h"
#include "watch/record/functions.h"
#include "watch/record/guest_symbols.h"
#include "watch/record/logbook.h"

enum { COUNTERS_MAX = 128 };

struct guest_view {
    struct log_vcpu vcpus[CPUS_MAX];
    struct log_tally functions;
    struct log_counter counters[COUNTERS_MAX];
    unsigned counter_count;
    char end[sizeof((struct vm_end *)0)->message];
};

struct logbook_view {
    struct log_guest guests[GUESTS_MAX];
    struct guest_view views[GUESTS_MAX];
};

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

/* The counters of a guest are the sums over its vCPUs, which all have the same ones. */
static void add_counter(void *context, const char *name, uint64_t value)
{
    struct guest_view *view = context;
    unsigned i = 0;

    if (value == 0)
        return;
    while (i < view->counter_count &&
           strncmp(view->counters[i].name, name, sizeof view->counters[i].name - 1) != 0)
        i++;
    if (i == COUNTERS_MAX)
        return;
    if (i == view->counter_count)
        snprintf(view->counters[view->counter_count++].name, sizeof view->counters[i].name, "%s",
                 name);
    view->counters[i].value += value;
}

static int larger_first(const void *a, const void *b)
{
    const struct log_counter *x = a, *y = b;

    return x->value != y->value ? (x->value < y->value ? 1 : -1) : strcmp(x->name, y->name);
}

static int fill_vcpus(struct guest_view *view, struct vm *vm, const struct symbols *symbols)
{
    static const struct log_ring empty = {.capacity = 1};
    struct error error;

    if (log_tally_create(&view->functions, &error) < 0)
        return -1;
    for (unsigned i = 0; i < vm->vcpu_count; i++) {
        const struct logbook_page *page = logbook_page(vm->index, i);

        view->vcpus[i] = (struct log_vcpu){.ring = &empty, .exits = vm->vcpus[i].stats.exits};
        kvm_stats_read(&vm->vcpus[i].cpu, add_counter, view);
        if (page == NULL)
            continue;
        view->vcpus[i].exits = page->exits; /* with those before the guest began again */
        if (page->ring.records != NULL)
            view->vcpus[i].ring = &page->ring;
        view->vcpus[i].guest_cycles = page->guest_cycles;
        view->vcpus[i].vmm_cycles = page->vmm_cycles;
        if (page->tally.places != NULL)
            log_functions_fold(&view->functions, &page->tally, symbols);
    }
    qsort(view->counters, view->counter_count, sizeof view->counters[0], larger_first);
    return 0;
}

static int fill_guest(struct log_guest *guest, struct guest_view *view, struct vm *vm)
{
    const struct symbols *symbols = guest_symbols_of(vm);
    struct vm_end end = vm_end_of(vm);

    describe_end(&end, view->end, sizeof view->end);
    if (fill_vcpus(view, vm, symbols) < 0)
        return -1;
    *guest = (struct log_guest){.index = vm->index,
                                .name = vm->name,
                                .end = view->end,
                                .bus = &vm->machine.bus,
                                .symbols = symbols,
                                .output = logbook_printed(vm->index),
                                .vcpus = view->vcpus,
                                .vcpu_count = vm->vcpu_count,
                                .functions = view->functions.places,
                                .function_count = log_tally_sort(&view->functions),
                                .counters = view->counters,
                                .counter_count = view->counter_count};
    return 0;
}

struct logbook_view *logbook_view_create(struct vm *vms, unsigned count, struct log_run *run)
{
    struct logbook_view *view = calloc(1, sizeof *view);

    if (view == NULL)
        return NULL;
    *run = (struct log_run){.guests = view->guests, .count = count, .reason_name = exits_name};
    logbook_clock(run);
    for (unsigned i = 0; i < count; i++) {
        if (fill_guest(&view->guests[i], &view->views[i], &vms[i]) < 0) {
            logbook_view_release(view);
            return NULL;
        }
    }
    return view;
}

void logbook_view_release(struct logbook_view *view)
{
    for (unsigned i = 0; view != NULL && i < GUESTS_MAX; i++)
        log_tally_destroy(&view->views[i].functions);
    free(view);
}
