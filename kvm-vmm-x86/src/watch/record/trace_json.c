/* The log of a run; see trace_json.h. */
#include "watch/record/trace_json.h"

#include <stdio.h>

#include "base/json.h"
#include "dev/debugcon.h"
#include "watch/record/exit_names.h"

enum { THREADS_A_GUEST = 1000, OUTPUT_THREAD = 999 };

static void put_byte(FILE *to, struct json_utf8 *text, uint8_t byte)
{
    char escape[JSON_ESCAPE_MAX];

    fwrite(escape, 1, json_utf8_byte(text, byte, escape), to);
}

static void put_end(FILE *to, struct json_utf8 *text)
{
    char escape[JSON_ESCAPE_MAX];

    fwrite(escape, 1, json_utf8_end(text, escape), to);
}

void log_json_string(FILE *to, const char *string)
{
    struct json_utf8 text = {.used = 0};

    fputs("\"", to);
    for (; *string != '\0'; string++)
        put_byte(to, &text, (uint8_t)*string);
    put_end(to, &text);
    fputs("\"", to);
}

/* Trace viewers take process 0 for the idle task, so numbers start at 1. Thread numbers are unique
 * among all processes. */
static unsigned process_of(const struct log_guest *guest)
{
    return guest->index + 1;
}

static unsigned thread_of(const struct log_guest *guest, unsigned vcpu)
{
    return process_of(guest) * THREADS_A_GUEST + vcpu;
}

static void open_event(FILE *to, const char *kind, const struct log_guest *guest, unsigned thread)
{
    fprintf(to, ",\n{\"ph\":\"%s\",\"pid\":%u,\"tid\":%u", kind, process_of(guest),
            thread_of(guest, thread));
}

static void write_time(FILE *to, const char *name, uint64_t ns)
{
    fprintf(to, ",\"%s\":%lu.%03lu", name, ns / 1000, ns % 1000);
}

static void write_thread_name(FILE *to, const struct log_guest *guest, unsigned thread,
                              const char *name)
{
    open_event(to, "M", guest, thread);
    fprintf(to, ",\"name\":\"thread_name\",\"args\":{\"name\":\"%s\"}}", name);
}

static void write_names(FILE *to, const struct log_guest *guest)
{
    open_event(to, "M", guest, 0);
    fprintf(to, ",\"name\":\"process_name\",\"args\":{\"guest\":%u,\"name\":", guest->index);
    log_json_string(to, guest->name);
    fputs("}}", to);
    for (unsigned i = 0; i < guest->vcpu_count; i++) {
        char name[16];

        snprintf(name, sizeof name, "vCPU %u", i);
        write_thread_name(to, guest, i, name);
    }
    write_thread_name(to, guest, OUTPUT_THREAD, "output");
}

static void write_access(FILE *to, const struct exit_record *r)
{
    static const char *const fields[] = {"", "port", "address", "msr"};

    if (r->space == EXIT_NOWHERE)
        return;
    fprintf(to, ",\"access\":\"%s\",\"%s\":\"%#lx\",\"bytes\":%u,\"items\":%u",
            r->write ? "write" : "read", fields[r->space], r->address, r->size, r->count);
    fprintf(to, ",\"value\":\"%#lx\"", r->value);
}

static void write_exit(FILE *to, const struct log_run *run, const struct log_guest *guest,
                       unsigned vcpu, uint64_t number, const struct exit_record *r)
{
    const char *reason = run->reason_name(r->reason);
    uint64_t start = log_run_ns(run, r->time);
    char name[128];

    log_exit_name(guest->bus, r, reason, name, sizeof name);
    open_event(to, "X", guest, vcpu);
    write_time(to, "ts", start);
    write_time(to, "dur", log_run_ns(run, r->time + r->cost) - start);
    fputs(",\"name\":", to);
    log_json_string(to, name);
    fputs(",\"cat\":", to);
    log_json_string(to, reason);
    fprintf(to, ",\"args\":{\"exit\":%lu,\"rip\":\"%#lx\"", number, r->rip);
    if (symbols_name_rip(guest->symbols, r->rip, name, sizeof name)) {
        fputs(",\"symbol\":", to);
        log_json_string(to, name);
    }
    write_access(to, r);
    fputs("}}", to);
}

/* Writes a mark for each code written to the POST port. */
static void write_post(FILE *to, const struct log_run *run, const struct log_guest *guest,
                       unsigned vcpu, const struct exit_record *r)
{
    if (r->space != EXIT_PORT || r->address != DEBUGCON_POST_PORT || !r->write)
        return;
    open_event(to, "i", guest, vcpu);
    write_time(to, "ts", log_run_ns(run, r->time));
    fprintf(to, ",\"s\":\"p\",\"cat\":\"POST\",\"name\":\"POST %#04lx\"}", r->value & 0xff);
}

static void write_vcpu(FILE *to, const struct log_run *run, const struct log_guest *guest,
                       unsigned vcpu)
{
    const struct log_ring *ring = &guest->vcpus[vcpu]->ring;
    uint64_t number = log_ring_dropped(ring);

    for (uint32_t i = 0; i < log_ring_count(ring) && !ferror(to); i++) {
        const struct exit_record *r = log_ring_at(ring, i);

        write_exit(to, run, guest, vcpu, ++number, r);
        write_post(to, run, guest, vcpu, r);
    }
}

static void write_output(FILE *to, const struct log_run *run, const struct log_guest *guest)
{
    const struct log_output *o = &guest->output;

    for (uint64_t i = log_output_first(o); i < log_output_end(o) && !ferror(to); i++) {
        struct json_utf8 text = {.used = 0};

        open_event(to, "i", guest, OUTPUT_THREAD);
        write_time(to, "ts", log_run_ns(run, log_output_piece(o, i)->time));
        fputs(",\"s\":\"t\",\"cat\":\"output\",\"name\":\"", to);
        for (size_t at = 0; at < log_output_size(o, i); at++)
            put_byte(to, &text, log_output_byte(o, log_output_piece(o, i)->start + at));
        put_end(to, &text);
        fputs("\"}", to);
    }
}

static void write_end(FILE *to, const struct log_run *run, const struct log_guest *guest)
{
    open_event(to, "i", guest, OUTPUT_THREAD);
    write_time(to, "ts", log_run_ns(run, run->end));
    fputs(",\"s\":\"p\",\"cat\":\"end\",\"name\":", to);
    log_json_string(to, guest->end);
    fputs("}", to);
}

static void write_vcpu_totals(FILE *to, const struct log_run *run, const struct log_guest *guest)
{
    for (unsigned v = 0; v < guest->vcpu_count; v++) {
        const struct log_vcpu *vcpu = guest->vcpus[v];
        char title[40];

        snprintf(title, sizeof title, ",\"guest %u vCPU %u", guest->index, v);
        fprintf(to, "%s exits\":%lu%s dropped\":%lu", title, vcpu->exits, title,
                log_ring_dropped(&vcpu->ring));
        fprintf(to, "%s ns in guest\":%.0f%s ns in VMM\":%.0f", title,
                (double)vcpu->guest_cycles * run->ns_per_cycle, title,
                (double)vcpu->vmm_cycles * run->ns_per_cycle);
    }
}

/* Exits by function: name, exits, nanoseconds spent on them; and KVM's own counters. */
static void write_tables(FILE *to, const struct log_run *run, const struct log_guest *guest)
{
    fprintf(to, ",\n\"guest %u functions\":[", guest->index);
    for (unsigned i = 0; i < guest->function_count; i++) {
        const struct log_place *f = &guest->functions.places[i];
        char name[128];

        symbols_name_rip(guest->symbols, f->rip, name, sizeof name);
        fputs(i > 0 ? ",[" : "[", to);
        log_json_string(to, name);
        fprintf(to, ",%lu,%.0f]", f->count, (double)f->cost * run->ns_per_cycle);
    }
    fprintf(to, "],\n\"guest %u KVM counters\":{", guest->index);
    for (unsigned i = 0; i < guest->counter_count; i++) {
        fputs(i > 0 ? "," : "", to);
        log_json_string(to, guest->counters[i].name);
        fprintf(to, ":%lu", guest->counters[i].value);
    }
    fputs("}", to);
}

/* Writes counts and times of the whole run, which include exits that were not kept. */
static void write_totals(FILE *to, const struct log_run *run)
{
    fprintf(to,
            "{\"displayTimeUnit\":\"ns\",\"otherData\":{\"program\":\"kvm-vmm\","
            "\"duration ns\":%lu",
            log_run_ns(run, run->end));
    for (unsigned g = 0; g < run->count; g++) {
        const struct log_guest *guest = &run->guests[g];

        write_vcpu_totals(to, run, guest);
        fprintf(to, ",\"guest %u output bytes\":%lu,\"guest %u output dropped\":%lu", guest->index,
                guest->output.byte_total, guest->index, log_output_dropped(&guest->output));
        write_tables(to, run, guest);
    }
    fputs("},\n\"traceEvents\":[\n"
          "{\"ph\":\"i\",\"pid\":0,\"tid\":0,\"ts\":0,\"s\":\"g\",\"name\":\"start\"}",
          to);
}

void log_trace_write(FILE *to, const struct log_run *run)
{
    write_totals(to, run);
    for (unsigned g = 0; g < run->count; g++) {
        const struct log_guest *guest = &run->guests[g];

        write_names(to, guest);
        for (unsigned v = 0; v < guest->vcpu_count; v++)
            write_vcpu(to, run, guest, v);
        write_output(to, run, guest);
        write_end(to, run, guest);
    }
    fputs("\n]}\n", to);
}
