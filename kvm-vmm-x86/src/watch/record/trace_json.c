/* The log of a run; see trace_json.h. */
#include "watch/record/trace_json.h"

#include <stdio.h>

#include "watch/record/exit_names.h"

enum { THREADS_A_GUEST = 1000, OUTPUT_THREAD = 999 };

/* Process 0 is the idle task for those who read traces; thread numbers are unique among all. */
static unsigned process_of(const struct log_guest *guest)
{
    return guest->index + 1;
}

static unsigned thread_of(const struct log_guest *guest, unsigned vcpu)
{
    return process_of(guest) * THREADS_A_GUEST + vcpu;
}

static void open_event(struct log_sink *sink, const char *kind, const struct log_guest *guest,
                       unsigned thread)
{
    log_sink_format(sink, ",\n{\"ph\":\"%s\",\"pid\":%u,\"tid\":%u", kind, process_of(guest),
                    thread_of(guest, thread));
}

static void write_time(struct log_sink *sink, const char *name, uint64_t ns)
{
    log_sink_format(sink, ",\"%s\":%llu.%03llu", name, (unsigned long long)ns / 1000,
                    (unsigned long long)ns % 1000);
}

static void write_thread_name(struct log_sink *sink, const struct log_guest *guest, unsigned thread,
                              const char *name)
{
    open_event(sink, "M", guest, thread);
    log_sink_format(sink, ",\"name\":\"thread_name\",\"args\":{\"name\":\"%s\"}}", name);
}

static void write_names(struct log_sink *sink, const struct log_guest *guest)
{
    open_event(sink, "M", guest, 0);
    log_sink_format(sink,
                    ",\"name\":\"process_name\",\"args\":{\"guest\":%u,\"name\":", guest->index);
    log_sink_string(sink, guest->name);
    log_sink_text(sink, "}}");
    for (unsigned i = 0; i < guest->vcpu_count; i++) {
        char name[16];

        snprintf(name, sizeof name, "vCPU %u", i);
        write_thread_name(sink, guest, i, name);
    }
    write_thread_name(sink, guest, OUTPUT_THREAD, "output");
}

static void write_access(struct log_sink *sink, const struct exit_record *r)
{
    static const char *const fields[] = {"", "port", "address", "msr"};

    if (r->space == EXIT_NOWHERE)
        return;
    log_sink_format(sink, ",\"access\":\"%s\",\"%s\":\"%#llx\",\"bytes\":%u,\"items\":%u",
                    r->write ? "write" : "read", fields[r->space], (unsigned long long)r->address,
                    r->size, r->count);
    log_sink_format(sink, ",\"value\":\"%#llx\"", (unsigned long long)r->value);
}

static void write_exit(struct log_sink *sink, const struct log_run *run,
                       const struct log_guest *guest, unsigned vcpu, uint64_t number,
                       const struct exit_record *r)
{
    const char *reason = run->reason_name(r->reason);
    uint64_t start = log_run_ns(run, r->time);
    char name[128];

    log_exit_name(guest->bus, r, reason, name, sizeof name);
    open_event(sink, "X", guest, vcpu);
    write_time(sink, "ts", start);
    write_time(sink, "dur", log_run_ns(run, r->time + r->cost) - start);
    log_sink_text(sink, ",\"name\":");
    log_sink_string(sink, name);
    log_sink_text(sink, ",\"cat\":");
    log_sink_string(sink, reason);
    log_sink_format(sink, ",\"args\":{\"exit\":%llu,\"rip\":\"%#llx\"", (unsigned long long)number,
                    (unsigned long long)r->rip);
    if (symbols_name_rip(guest->symbols, r->rip, name, sizeof name)) {
        log_sink_text(sink, ",\"symbol\":");
        log_sink_string(sink, name);
    }
    write_access(sink, r);
    log_sink_text(sink, "}}");
}

static void write_vcpu(struct log_sink *sink, const struct log_run *run,
                       const struct log_guest *guest, unsigned vcpu)
{
    const struct log_ring *ring = &guest->vcpus[vcpu]->ring;
    uint64_t number = log_ring_dropped(ring);

    for (uint32_t i = 0; i < log_ring_count(ring) && sink->failure == 0; i++)
        write_exit(sink, run, guest, vcpu, ++number, log_ring_at(ring, i));
}

static void write_output(struct log_sink *sink, const struct log_run *run,
                         const struct log_guest *guest)
{
    const struct log_output *o = &guest->output;

    for (uint64_t i = log_output_first(o); i < log_output_end(o) && sink->failure == 0; i++) {
        struct log_utf8 utf8 = {0};

        open_event(sink, "i", guest, OUTPUT_THREAD);
        write_time(sink, "ts", log_run_ns(run, log_output_piece(o, i)->time));
        log_sink_text(sink, ",\"s\":\"t\",\"cat\":\"output\",\"name\":\"");
        for (size_t at = 0; at < log_output_size(o, i); at++)
            log_sink_quoted(sink, &utf8, log_output_byte(o, log_output_piece(o, i)->start + at));
        log_sink_quoted_end(sink, &utf8);
        log_sink_text(sink, "\"}");
    }
}

static void write_end(struct log_sink *sink, const struct log_run *run,
                      const struct log_guest *guest)
{
    open_event(sink, "i", guest, OUTPUT_THREAD);
    write_time(sink, "ts", log_run_ns(run, run->end));
    log_sink_text(sink, ",\"s\":\"p\",\"cat\":\"end\",\"name\":");
    log_sink_string(sink, guest->end);
    log_sink_text(sink, "}");
}

typedef unsigned long long number;

static void write_vcpu_totals(struct log_sink *sink, const struct log_run *run,
                              const struct log_guest *guest)
{
    for (unsigned v = 0; v < guest->vcpu_count; v++) {
        const struct log_vcpu *vcpu = guest->vcpus[v];
        char title[40];

        snprintf(title, sizeof title, ",\"guest %u vCPU %u", guest->index, v);
        log_sink_format(sink, "%s exits\":%llu%s dropped\":%llu", title, (number)vcpu->exits, title,
                        (number)log_ring_dropped(&vcpu->ring));
        log_sink_format(sink, "%s ns in guest\":%.0f%s ns in VMM\":%.0f", title,
                        (double)vcpu->guest_cycles * run->ns_per_cycle, title,
                        (double)vcpu->vmm_cycles * run->ns_per_cycle);
    }
}

/* Exits by function: name, exits, nanoseconds spent on them; and KVM's own counters. */
static void write_tables(struct log_sink *sink, const struct log_run *run,
                         const struct log_guest *guest)
{
    log_sink_format(sink, ",\n\"guest %u functions\":[", guest->index);
    for (unsigned i = 0; i < guest->function_count; i++) {
        const struct log_place *f = &guest->functions.places[i];
        char name[128];

        symbols_name_rip(guest->symbols, f->rip, name, sizeof name);
        log_sink_text(sink, i > 0 ? ",[" : "[");
        log_sink_string(sink, name);
        log_sink_format(sink, ",%llu,%.0f]", (number)f->count, (double)f->cost * run->ns_per_cycle);
    }
    log_sink_format(sink, "],\n\"guest %u KVM counters\":{", guest->index);
    for (unsigned i = 0; i < guest->counter_count; i++) {
        log_sink_text(sink, i > 0 ? "," : "");
        log_sink_string(sink, guest->counters[i].name);
        log_sink_format(sink, ":%llu", (number)guest->counters[i].value);
    }
    log_sink_text(sink, "}");
}

/* What the events do not say: counts and times that hold for the whole run, kept or not. */
static void write_totals(struct log_sink *sink, const struct log_run *run)
{
    log_sink_format(sink,
                    "{\"displayTimeUnit\":\"ns\",\"otherData\":{\"program\":\"kvm-vmm\","
                    "\"duration ns\":%llu",
                    (number)log_run_ns(run, run->end));
    for (unsigned g = 0; g < run->count; g++) {
        const struct log_guest *guest = &run->guests[g];

        write_vcpu_totals(sink, run, guest);
        log_sink_format(sink, ",\"guest %u output bytes\":%llu,\"guest %u output dropped\":%llu",
                        guest->index, (number)guest->output.byte_total, guest->index,
                        (number)log_output_dropped(&guest->output));
        write_tables(sink, run, guest);
    }
    log_sink_text(sink,
                  "},\n\"traceEvents\":[\n"
                  "{\"ph\":\"i\",\"pid\":0,\"tid\":0,\"ts\":0,\"s\":\"g\",\"name\":\"start\"}");
}

void log_trace_write(struct log_sink *sink, const struct log_run *run)
{
    write_totals(sink, run);
    for (unsigned g = 0; g < run->count; g++) {
        const struct log_guest *guest = &run->guests[g];

        write_names(sink, guest);
        for (unsigned v = 0; v < guest->vcpu_count; v++)
            write_vcpu(sink, run, guest, v);
        write_output(sink, run, guest);
        write_end(sink, run, guest);
    }
    log_sink_text(sink, "\n]}\n");
}
