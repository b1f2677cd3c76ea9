/*
 * A run that is over, as those see it who write about it: the exits that were kept, the counts that
 * hold for all, and what was printed. Borrowed from the VMs, which must still be there; the unit
 * tests and the fuzzer make one up.
 */
#ifndef LOG_VIEW_H
#define LOG_VIEW_H

#include "watch/explain/symbols.h"
#include "watch/record/output.h"
#include "watch/record/ring.h"
#include "watch/record/sink.h"
#include "watch/record/tally.h"

struct log_vcpu {
    const struct log_ring *ring;
    uint64_t exits;                    /* all, kept or not */
    uint64_t guest_cycles, vmm_cycles; /* where its time went */
};

/* A counter that KVM keeps itself, over all vCPUs of a guest. */
struct log_counter {
    char name[48];
    uint64_t value;
};

struct log_guest {
    unsigned index;
    const char *name;              /* its image */
    const char *end;               /* how it ended, in words */
    struct bus *bus;               /* names its devices, and counted what reached them */
    const struct symbols *symbols; /* or NULL */
    const struct log_output *output;
    const struct log_vcpu *vcpus;
    unsigned vcpu_count;
    const struct log_place *functions; /* log_functions_fold's: exits by function, most first */
    unsigned function_count;
    const struct log_counter *counters;
    unsigned counter_count;
};

struct log_run {
    const struct log_guest *guests;
    unsigned count;
    uint64_t start, end; /* in cycles */
    double ns_per_cycle;
    const char *(*reason_name)(uint32_t reason);
};

/* The time of a moment, in nanoseconds since the run began. */
static inline uint64_t log_run_ns(const struct log_run *run, uint64_t cycles)
{
    return cycles > run->start ? (uint64_t)((double)(cycles - run->start) * run->ns_per_cycle) : 0;
}

/* The trace that Perfetto, chrome://tracing and tools/report open. */
void log_trace_write(struct log_sink *sink, const struct log_run *run);

#endif
