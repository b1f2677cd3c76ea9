/*
 * A guest for the tests of virtio devices: a little memory, in two pieces that do not follow each
 * other here, and the driver's side of its queues.
 */
#ifndef TEST_VIRTIO_WORLD_H
#define TEST_VIRTIO_WORLD_H

#include <stdlib.h>
#include <string.h>

#include "common/device/virtio/virtio.h"

enum {
    WORLD_BASE = 0x10000,
    WORLD_HALF = 0x4000, /* a piece */
    WORLD_END = WORLD_BASE + 2 * WORLD_HALF,
};

struct virtio_test_world {
    uint8_t *half[2];
    unsigned interrupts; /* how often raised */
    bool level;
    unsigned broken;
    const char *why;
    bool unbacked; /* the next access to write is answered VIRTIO_LATER */
};

static bool world_contains(void *context, uint64_t address, uint64_t size)
{
    (void)context;
    return address >= WORLD_BASE && address < WORLD_END && size <= WORLD_END - address;
}

static int world_piece(void *context, uint64_t address, uint64_t size, bool write,
                       struct virtio_piece *piece)
{
    struct virtio_test_world *w = context;
    uint64_t offset = address - WORLD_BASE, rest = WORLD_HALF - offset % WORLD_HALF;

    if (!world_contains(w, address, size))
        return VIRTIO_BAD;
    if (write && w->unbacked) {
        w->unbacked = false;
        return VIRTIO_LATER;
    }
    piece->at = w->half[offset / WORLD_HALF] + offset % WORLD_HALF;
    piece->size = size < rest ? size : rest;
    return VIRTIO_OK;
}

static void world_interrupt(void *context, unsigned source, bool raise)
{
    struct virtio_test_world *w = context;

    (void)source;
    w->interrupts += raise;
    w->level = raise;
}

static void world_broken(void *context, const char *what)
{
    struct virtio_test_world *w = context;

    w->broken++;
    w->why = what;
}

static const struct virtio_world world_ops = {.contains = world_contains,
                                              .piece = world_piece,
                                              .interrupt = world_interrupt,
                                              .broken = world_broken};

/* Each half is an allocation of its own, so that a byte beyond it is noticed. */
static inline void world_open(struct virtio_test_world *w)
{
    *w = (struct virtio_test_world){0};
    for (unsigned i = 0; i < 2; i++)
        w->half[i] = calloc(1, WORLD_HALF);
}

static inline void world_close(struct virtio_test_world *w)
{
    free(w->half[0]);
    free(w->half[1]);
}

/* The driver's own access. */
static inline void world_copy(struct virtio_test_world *w, uint64_t address, void *bytes,
                              uint64_t size, bool write)
{
    for (uint64_t i = 0; i < size; i++) {
        uint64_t offset = address - WORLD_BASE + i;
        uint8_t *at;

        if (offset >= 2 * WORLD_HALF)
            abort();
        at = w->half[offset / WORLD_HALF] + offset % WORLD_HALF;
        if (write)
            *at = ((uint8_t *)bytes)[i];
        else
            ((uint8_t *)bytes)[i] = *at;
    }
}

#endif
