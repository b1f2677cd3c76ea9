/*
 * Unpacked kernels, kept from run to run: the file format, and the functions of the cache that a
 * loader calls. Pure; the files themselves are kernel_cache.c's.
 */
#ifndef BOOT_LINUX_CACHED_H
#define BOOT_LINUX_CACHED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "common/siphash.h"

/* Identifies a packed kernel: the SipHash of its bytes with the cache's secret, so that a kernel
 * cannot be made to match another's key. */
struct cached_key {
    uint8_t hash[SIPHASH_SIZE];
    uint64_t size;
};

/* The first page of a file; the kernel follows. */
struct cached_header {
    char magic[8];
    struct cached_key key;
    uint64_t size, sum; /* of the unpacked kernel */
};

enum { CACHED_OFFSET = 4096 }; /* so that the kernel stands on page borders, as in memory */

/* A kernel that was found; `context` belongs to the cache. */
struct cached_kernel {
    const uint8_t *bytes;
    size_t size;
    void *context;
    size_t context_size;
};

/* The functions of a cache. */
struct cached_ops {
    /* The cache's secret; false if there is no cache. */
    bool (*secret)(uint8_t secret[SIPHASH_SECRET]) MUST_CHECK;
    /* Fills `kernel` with what was kept under the key; false if nothing was. */
    bool (*find)(const struct cached_key *key, struct cached_kernel *kernel) MUST_CHECK;
    /* False: what was kept changed while it was read. */
    bool (*release)(struct cached_kernel *kernel) MUST_CHECK;
    /* Takes over `bytes`, which malloc made, to keep them or not. */
    void (*keep)(const struct cached_key *key, uint8_t *bytes, size_t size);
};

struct cached_key cached_key_of(const uint8_t secret[SIPHASH_SECRET], const uint8_t *packed,
                                size_t size);

/* The header of a file that holds the unpacked kernel `bytes`. Its sum detects damaged and
 * truncated files, in one pass at the speed of memory. */
struct cached_header cached_header_of(const struct cached_key *key, const uint8_t *bytes,
                                      size_t size);

/* The kernel in a cache file, after a check of all its bytes; NULL if the file is damaged or has
 * another key. */
const uint8_t *cached_open(const uint8_t *file, size_t file_size, const struct cached_key *key,
                           size_t *size);

#endif
