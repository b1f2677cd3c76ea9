/*
 * What is kept of a run: each vCPU's newest exits, all its exits counted by where they came from
 * and what they reached, and what each guest printed. Memory is taken before a guest starts. From
 * then on a vCPU's thread is the only writer of what is kept of it, so that the path of an exit
 * needs no lock and allocates nothing; the reports read it when the guests have ended.
 *
 * Pure; record.h fills it.
 *
 */
#ifndef HISTORY_H
#define HISTORY_H

#include <stddef.h>
#include <stdint.h>

#include "base/config.h"
#include "base/error.h"
#include "dev/bus.h"
#include "vm/exit_record.h"
#include "watch/explain/symbols.h"

/* The newest exits of one vCPU. */
struct log_ring {
    struct exit_record *records; /* NULL: nothing is kept */
    uint32_t capacity, next;
    uint64_t total; /* records ever begun */
};

/* Takes the memory, and touches it, so that no page is missing later. */
int log_ring_create(struct log_ring *ring, uint32_t capacity, struct error *error) MUST_CHECK;
void log_ring_destroy(struct log_ring *ring);

/* The place of the next record: the oldest one's, once the ring is full. */
static inline struct exit_record *log_ring_next(struct log_ring *ring)
{
    struct exit_record *record = &ring->records[ring->next];

    ring->next = ring->next + 1 == ring->capacity ? 0 : ring->next + 1;
    ring->total++;
    return record;
}

/* How many records it holds, and how many were overwritten. */
uint32_t log_ring_count(const struct log_ring *ring);
uint64_t log_ring_dropped(const struct log_ring *ring);

/* Record `index` (< log_ring_count), the oldest being 0. */
const struct exit_record *log_ring_at(const struct log_ring *ring, uint32_t index);

/*
 * Exits counted by where in the guest they came from: a table of fixed size, by instruction. A
 * Linux kernel exits from some hundreds; what finds no place is counted as `elsewhere`.
 */
enum { LOG_TALLY_PLACES = 2048, LOG_TALLY_PROBES = 16 };

struct log_place {
    uint64_t rip;
    uint64_t count; /* 0: the place is free */
    uint64_t cost;  /* cycles */
};

struct log_tally {
    struct log_place *places; /* LOG_TALLY_PLACES; NULL: nothing is counted */
    struct log_place elsewhere;
};

int log_tally_create(struct log_tally *tally, struct error *error) MUST_CHECK;
void log_tally_destroy(struct log_tally *tally);

/* Counts one exit of `cost` cycles. */
void log_tally_add(struct log_tally *tally, uint64_t rip, uint64_t cost);

/* Orders the places by count, the largest first; returns how many there are. The end of counting.
 */
unsigned log_tally_sort(struct log_tally *tally);

/*
 * Adds the places of `from` to `to`, those of one function as one: its `rip` is where it begins. A
 * place that no symbol covers stays what it is; so does every one where `symbols` is NULL.
 */
void log_tally_fold(struct log_tally *to, const struct log_tally *from,
                    const struct symbols *symbols);

/* Accesses counted by register, and by address where no device is. Other threads may read while it
 * is written: a count may be a moment old. */
struct log_count {
    uint64_t reads, writes;
};

/* Addresses without a device that are told apart: the first that come. */
enum { LOG_ADDRESSES_MAX = 32 };

struct log_accesses {
    struct log_count registers[BUS_RANGES_MAX][BUS_REGISTERS_MAX];
    struct log_count unclaimed[BUS_SPACES];
    struct log_address {
        enum bus_space space;
        uint64_t address;
        struct log_count count; /* 0 and 0: the place is free */
    } addresses[LOG_ADDRESSES_MAX];
};

void log_accesses_add(struct log_accesses *accesses, struct bus *bus,
                      const struct exit_record *record);
void log_accesses_merge(struct log_accesses *to, const struct log_accesses *from);

/* All that reached one range of the bus. */
struct log_count log_accesses_of(const struct log_accesses *accesses, unsigned range);

/*
 * What a guest printed and when: the newest bytes, cut into pieces that each carry a time. The
 * writer is the thread that holds the VM's lock.
 */
enum { LOG_OUTPUT_BYTES = 256 * 1024, LOG_OUTPUT_PIECES = 8192, LOG_OUTPUT_LINE = 4096 };

/* A line is cut where the guest paused for so many cycles, some 50 ms: a prompt and its answer. */
#define LOG_OUTPUT_PAUSE (UINT64_C(1) << 27)

struct log_piece {
    uint64_t start; /* which byte of all that was printed it begins with */
    uint64_t time;  /* when that byte came, in cycles */
};

struct log_output {
    uint8_t *bytes;           /* LOG_OUTPUT_BYTES; NULL: nothing is kept */
    struct log_piece *pieces; /* LOG_OUTPUT_PIECES */
    uint64_t byte_total, piece_total;
    uint64_t last; /* when the last byte came */
};

int log_output_create(struct log_output *output, struct error *error) MUST_CHECK;
void log_output_destroy(struct log_output *output);

void log_output_add(struct log_output *output, const uint8_t *bytes, size_t count, uint64_t time);

/* The pieces that are still whole: index first to log_output_end() - 1. */
uint64_t log_output_first(const struct log_output *output);
static inline uint64_t log_output_end(const struct log_output *output)
{
    return output->piece_total;
}

/* A piece's time and size; its bytes by log_output_byte(output, piece->start + i). */
const struct log_piece *log_output_piece(const struct log_output *output, uint64_t index);
size_t log_output_size(const struct log_output *output, uint64_t index);
static inline uint8_t log_output_byte(const struct log_output *output, uint64_t at)
{
    return output->bytes[at % LOG_OUTPUT_BYTES];
}

/* Bytes that are no longer there. */
uint64_t log_output_dropped(const struct log_output *output);

enum { LOG_REASONS = 64, LOG_COUNTERS_MAX = 128 };

/* What is kept of one vCPU, whatever becomes of it: a guest that starts again goes on here. */
struct log_vcpu {
    struct log_guest *guest;
    struct log_ring ring;                   /* for --log */
    struct log_tally tally;                 /* by function, for --stats, --log and --boot-report */
    struct log_accesses *accesses;          /* for --stats and --boot-report, or NULL */
    uint64_t exits, by_reason[LOG_REASONS]; /* all, kept or not; beyond the table, the last */
    uint64_t guest_cycles, vmm_cycles;      /* where its time went */
    uint64_t resumed;                       /* when it entered the guest last, in cycles */
    const struct kvm_cpu *counted;          /* whose KVM counters are still to be added; or NULL */
};

/* A counter that KVM keeps itself, over all vCPUs of a guest. */
struct log_counter {
    char name[48];
    uint64_t value;
};

struct log_guest {
    unsigned index;
    const char *name; /* its image */
    struct log_vcpu *vcpus[CPUS_MAX];
    unsigned vcpu_count;
    struct log_output output;
    /* Filled in when it has ended. */
    char end[400];                 /* how, in words */
    struct bus *bus;               /* names its devices */
    const struct symbols *symbols; /* or NULL */
    struct log_tally functions;    /* of all vCPUs, sorted: the most exits first */
    unsigned function_count;
    struct log_counter counters[LOG_COUNTERS_MAX];
    unsigned counter_count;
};

struct log_run {
    struct log_guest guests[GUESTS_MAX];
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

/* Releases all that hangs on it. */
void log_run_destroy(struct log_run *run);

#endif
