/* The newest exits of one vCPU; see ring.h. */
#include "watch/record/ring.h"

#include <stdlib.h>
#include <string.h>

int log_ring_create(struct log_ring *ring, uint32_t capacity, struct error *error)
{
    size_t size = (size_t)capacity * sizeof *ring->records;

    *ring = (struct log_ring){.capacity = capacity, .records = malloc(size)};
    if (ring->records == NULL)
        return error_set(error, "no memory for a log of %u exits", capacity);
    memset(ring->records, 0xff, size); /* zeros might be mapped and not touched */
    return 0;
}

void log_ring_destroy(struct log_ring *ring)
{
    free(ring->records);
    *ring = (struct log_ring){0};
}

uint32_t log_ring_count(const struct log_ring *ring)
{
    return ring->total < ring->capacity ? (uint32_t)ring->total : ring->capacity;
}

uint64_t log_ring_dropped(const struct log_ring *ring)
{
    return ring->total - log_ring_count(ring);
}

const struct exit_record *log_ring_at(const struct log_ring *ring, uint32_t index)
{
    uint64_t at = index + (ring->total > ring->capacity ? ring->next : 0u);

    return &ring->records[at % ring->capacity];
}
