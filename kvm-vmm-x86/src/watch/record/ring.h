/*
 * The exits of one vCPU: the newest of them, in a ring. Memory is taken once, before the guest
 * starts; from then on the vCPU's thread is the only writer, and nobody reads before it has ended,
 * so that the path of an exit needs no lock and allocates nothing.
 */
#ifndef LOG_RING_H
#define LOG_RING_H

#include "base/error.h"
#include "watch/record/record.h"

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

/* How many it holds, and how many it has let go. */
uint32_t log_ring_count(const struct log_ring *ring);
uint64_t log_ring_dropped(const struct log_ring *ring);

/* Record `index` (< log_ring_count), the oldest being 0. */
const struct exit_record *log_ring_at(const struct log_ring *ring, uint32_t index);

#endif
