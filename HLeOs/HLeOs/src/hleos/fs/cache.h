/*
 * The buffer cache: the blocks of one file system that were used last, at most one copy of each. A
 * buffer that is held is locked by a sleep lock: one thread at a time reads or changes its bytes.
 *
 * A thread holds one buffer at a time. So threads cannot wait for each other in a circle, whatever
 * the pointers on a damaged disk say.
 */
#ifndef HLEOS_FS_CACHE_H
#define HLEOS_FS_CACHE_H

#include <stdbool.h>
#include <stdint.h>

#include "std/queue.h"
#include "thread/sync.h"

struct disk;

enum { CACHE_BUCKETS = 64 };

struct buffer {
    uint32_t block;
    bool valid;  /* mutex: the bytes are the block's */
    bool pinned; /* cache mutex: in the log, not yet written to its place; must stay in memory */
    unsigned references; /* cache mutex: threads that hold it or wait for it */
    struct sync_mutex mutex;
    struct queue_link hash; /* cache mutex: in its bucket */
    struct queue_link idle; /* cache mutex: in the list of those that may be reused */
    uint8_t *bytes;         /* mutex */
};

struct cache {
    struct disk *disk;
    uint64_t first; /* sector of block 0 */
    struct sync_mutex mutex;
    struct queue_list buckets[CACHE_BUCKETS]; /* mutex; so are those below */
    struct queue_list idle;                   /* the one that was used longest ago first */
    unsigned count, limit;
    uint64_t hits, misses;
};

/* Makes a cache with memory for `limit` blocks; it allocates more only if all of them are held or
 * pinned at the same time. 0, or FS_NO_MEMORY. */
int cache_init(struct cache *cache, struct disk *disk, uint64_t first, unsigned limit);
void cache_destroy(struct cache *cache);

/* Takes the buffer of a block, with its contents from the disk: 0, or FS_DISK if the disk fails or
 * no buffer is free. (Both are errors after which a half-finished call cannot continue.) */
int cache_get(struct cache *cache, uint32_t block, struct buffer **buffer);
/* The same, zeroed and without reading the disk, for a block that is written as a whole. */
int cache_get_zeroed(struct cache *cache, uint32_t block, struct buffer **buffer);
void cache_put(struct cache *cache, struct buffer *buffer);

/* Keeps it in memory until cache_unpin(); false if it is pinned already. */
bool cache_pin(struct cache *cache, struct buffer *buffer);
void cache_unpin(struct cache *cache, struct buffer *buffer);

#endif
