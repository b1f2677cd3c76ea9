/*
 * Guest-physical memory: the one checked way to it.
 *
 * A guest's RAM is one host mapping, cut into at most two regions (below and above the hole that
 * x86 keeps under 4 GB for devices). Everything that follows an address given by a guest goes
 * through memory_at() or the helpers around it, which answer only for ranges that lie in RAM as a
 * whole.
 */
#ifndef MEMORY_H
#define MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "base/error.h"

enum { MEMORY_REGIONS_MAX = 2 };

/* Where the hole for devices begins and ends when RAM does not fit below it. */
#define MEMORY_HOLE_START (UINT64_C(0xc0000000))
#define MEMORY_HOLE_END   (UINT64_C(0x100000000))

struct memory_region {
    gpa_t base;
    uint64_t size;
    uint8_t *host; /* where the region begins in this process */
};

struct memory {
    struct memory_region regions[MEMORY_REGIONS_MAX];
    unsigned count;
};

/* Lays out `size` bytes of RAM at `host` from guest-physical `base` on, split around the hole where
 * it is reached. */
void memory_init(struct memory *memory, gpa_t base, uint64_t size, uint8_t *host);

/* The host address of [gpa, gpa + length), or NULL unless all of it is RAM of one region. length 0
 * counts as 1. */
void *memory_at(const struct memory *memory, gpa_t gpa, uint64_t length);

/* Copies out of or into guest memory; false, and nothing copied, unless the whole range is RAM. */
bool memory_read(const struct memory *memory, gpa_t gpa, void *to, size_t length) MUST_CHECK;
bool memory_write(const struct memory *memory, gpa_t gpa, const void *from,
                  size_t length) MUST_CHECK;

/* The first address after the RAM that begins at the lowest address. */
gpa_t memory_low_end(const struct memory *memory);
/* The first address after all RAM. */
gpa_t memory_end(const struct memory *memory);

#endif
