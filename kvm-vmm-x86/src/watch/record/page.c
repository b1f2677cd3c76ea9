/*
 * One page with everything in it: the exits that were kept as numbers, names by table, and what was
 * printed, in a script element of type application/json, before the code that draws them (page/).
 * The data is the only part that a guest or a file name can influence; it is made of numbers and of
 * log_sink_string's, which can leave neither their quotes nor the element.
 */
#include <errno.h>
#include <stdlib.h>

#include "watch/record/functions.h"
#include "watch/record/intern.h"
#include "watch/record/page/page.h"
#include "watch/record/view.h"

/* JavaScript's numbers are exact up to here; what is larger travels as text. */
#define EXACT (UINT64_C(1) << 53)

struct tables {
    struct log_intern kinds; /* what was reached; the example is the vCPU << 32 | the record */
    struct log_intern places;
};

typedef unsigned long long number;

/* Accesses to one register are of one kind, whatever their value. */
static uint64_t kind_key(struct bus *bus, const struct log_record *r)
{
    const struct bus_range *range = log_record_range(bus, r);
    uint64_t key = (uint64_t)r->space << 56 | (uint64_t)r->write << 55;

    if (range == NULL)
        return key | (r->space == LOG_NOWHERE ? r->reason : r->address % (UINT64_C(1) << 54));
    return key | UINT64_C(1) << 63 | (uint64_t)(range - bus->ranges) << 32 |
           bus_register(range, r->address - range->base, r->write, (uint8_t)r->value);
}

static void collect(struct tables *tables, const struct log_guest *guest)
{
    for (unsigned v = 0; v < guest->vcpu_count; v++) {
        const struct log_ring *ring = guest->vcpus[v].ring;

        for (uint32_t i = 0; i < log_ring_count(ring); i++) {
            const struct log_record *r = log_ring_at(ring, i);

            (void)log_intern(&tables->kinds, kind_key(guest->bus, r), (uint64_t)v << 32 | i);
            (void)log_intern(&tables->places, r->rip, 0);
        }
    }
}

static void write_kinds(struct log_sink *sink, const struct log_run *run,
                        const struct log_guest *guest, const struct log_intern *kinds)
{
    static const char *const devices[] = {"", "other ports", "other memory", "MSRs"};

    log_sink_text(sink, ",\"kinds\":[");
    for (uint32_t i = 0; i < kinds->count; i++) {
        uint64_t example = kinds->examples[i];
        const struct log_record *r =
            log_ring_at(guest->vcpus[example >> 32].ring, (uint32_t)example);
        const struct bus_range *range = log_record_range(guest->bus, r);
        const char *reason = run->reason_name(r->reason);
        char name[128];

        log_record_name(guest->bus, r, reason, name, sizeof name);
        log_sink_text(sink, i > 0 ? ",[" : "[");
        log_sink_string(sink, name);
        log_sink_text(sink, ",");
        log_sink_string(sink, range != NULL             ? range->ops->name
                              : r->space == LOG_NOWHERE ? reason
                                                        : devices[r->space]);
        log_sink_format(sink, ",\"%s\"]",
                        r->space == LOG_NOWHERE ? ""
                        : r->write              ? "write"
                                                : "read");
    }
    log_sink_text(sink, "]");
}

static void write_places(struct log_sink *sink, const struct log_guest *guest,
                         const struct log_intern *places)
{
    log_sink_text(sink, ",\"places\":[");
    for (uint32_t i = 0; i < places->count; i++) {
        char name[128];

        log_sink_format(sink, "%s[\"%#llx\",", i > 0 ? "," : "", (number)places->keys[i]);
        (void)log_functions_symbol(guest->symbols, places->keys[i], name, sizeof name);
        log_sink_string(sink, name);
        log_sink_text(sink, "]");
    }
    log_sink_text(sink, "]");
}

/* Six numbers an exit: time since the one before, cost, kind, place, value, items. */
static void write_records(struct log_sink *sink, const struct log_run *run,
                          const struct log_guest *guest, struct tables *tables,
                          const struct log_ring *ring)
{
    uint64_t before = 0;

    for (uint32_t i = 0; i < log_ring_count(ring); i++) {
        const struct log_record *r = log_ring_at(ring, i);
        uint64_t start = log_run_ns(run, r->time);
        uint64_t cost = log_run_ns(run, r->time + r->cost) - start;

        if (start < before)
            start = before;
        log_sink_format(sink, "%s%llu,%llu,%u,%u,", i > 0 ? "," : "", (number)(start - before),
                        (number)cost, log_intern(&tables->kinds, kind_key(guest->bus, r), 0),
                        log_intern(&tables->places, r->rip, 0));
        log_sink_format(sink, r->value < EXACT ? "%llu,%u" : "\"%#llx\",%u", (number)r->value,
                        r->count);
        before = start;
    }
}

static void write_vcpus(struct log_sink *sink, const struct log_run *run,
                        const struct log_guest *guest, struct tables *tables)
{
    log_sink_text(sink, ",\"vcpus\":[");
    for (unsigned v = 0; v < guest->vcpu_count; v++) {
        const struct log_vcpu *vcpu = &guest->vcpus[v];

        log_sink_format(sink, "%s\n{\"exits\":%llu,\"dropped\":%llu", v > 0 ? "," : "",
                        (number)vcpu->exits, (number)log_ring_dropped(vcpu->ring));
        log_sink_format(sink, ",\"guestNs\":%.0f,\"vmmNs\":%.0f,\"records\":[",
                        (double)vcpu->guest_cycles * run->ns_per_cycle,
                        (double)vcpu->vmm_cycles * run->ns_per_cycle);
        write_records(sink, run, guest, tables, vcpu->ring);
        log_sink_text(sink, "]}");
    }
    log_sink_text(sink, "]");
}

static void write_output(struct log_sink *sink, const struct log_run *run,
                         const struct log_output *o)
{
    log_sink_format(sink, ",\"outputBytes\":%llu,\"outputDropped\":%llu,\"output\":[",
                    (number)o->byte_total, (number)log_output_dropped(o));
    for (uint64_t i = log_output_first(o); i < log_output_end(o); i++) {
        const struct log_piece *piece = log_output_piece(o, i);
        struct log_utf8 utf8 = {0};

        log_sink_format(sink, "%s[%llu,\"", i > log_output_first(o) ? "," : "",
                        (number)log_run_ns(run, piece->time));
        for (size_t at = 0; at < log_output_size(o, i); at++)
            log_sink_quoted(sink, &utf8, log_output_byte(o, piece->start + at));
        log_sink_quoted_end(sink, &utf8);
        log_sink_text(sink, "\"]");
    }
    log_sink_text(sink, "]");
}

/* What holds for the whole run, kept or not. */
static void write_totals(struct log_sink *sink, const struct log_run *run,
                         const struct log_guest *guest)
{
    log_sink_text(sink, ",\"functions\":[");
    for (unsigned i = 0; i < guest->function_count; i++) {
        const struct log_place *f = &guest->functions[i];
        char name[128];

        log_functions_name(guest->symbols, f->rip, name, sizeof name);
        log_sink_text(sink, i > 0 ? ",[" : "[");
        log_sink_string(sink, name);
        log_sink_format(sink, ",%llu,%.0f]", (number)f->count, (double)f->cost * run->ns_per_cycle);
    }
    log_sink_text(sink, "],\"counters\":[");
    for (unsigned i = 0; i < guest->counter_count; i++) {
        log_sink_text(sink, i > 0 ? ",[" : "[");
        log_sink_string(sink, guest->counters[i].name);
        log_sink_format(sink, ",%llu]", (number)guest->counters[i].value);
    }
    log_sink_text(sink, "]");
}

static void write_guest(struct log_sink *sink, const struct log_run *run,
                        const struct log_guest *guest, struct tables *tables)
{
    log_sink_format(sink, "{\"index\":%u,\"name\":", guest->index);
    log_sink_string(sink, guest->name);
    log_sink_text(sink, ",\"end\":");
    log_sink_string(sink, guest->end);
    collect(tables, guest);
    write_kinds(sink, run, guest, &tables->kinds);
    write_places(sink, guest, &tables->places);
    write_totals(sink, run, guest);
    write_vcpus(sink, run, guest, tables);
    write_output(sink, run, guest->output);
    log_sink_text(sink, "}");
}

int log_page_write(struct log_sink *sink, const struct log_run *run)
{
    log_sink_bytes(sink, log_page_head, (size_t)(log_page_head_end - log_page_head));
    log_sink_format(sink, "{\"durationNs\":%llu,\"guests\":[", (number)log_run_ns(run, run->end));
    for (unsigned g = 0; g < run->count; g++) {
        struct tables *tables = calloc(1, sizeof *tables);

        if (tables == NULL)
            return -ENOMEM;
        log_sink_text(sink, g > 0 ? ",\n" : "\n");
        write_guest(sink, run, &run->guests[g], tables);
        free(tables);
    }
    log_sink_text(sink, "]}\n");
    log_sink_bytes(sink, log_page_tail, (size_t)(log_page_tail_end - log_page_tail));
    return 0;
}
