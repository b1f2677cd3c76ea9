/* Reuses the least recently used block first; see cache.h. */
#include "fs/cache.h"

#include "common/string.h"
#include "disk/disk.h"
#include "fs/device.h"
#include "fs/fs.h"
#include "kmalloc.h"

static struct queue_list *bucket(struct cache *cache, uint32_t block)
{
    return &cache->buckets[block % CACHE_BUCKETS];
}

/* A new buffer that is in no list yet; NULL if memory is out. */
static struct buffer *new_buffer(struct cache *cache)
{
    struct buffer *buffer = kmalloc(sizeof *buffer);
    uint8_t *bytes = kmalloc(HLEOS_FS_BLOCK);

    if (buffer == NULL || bytes == NULL) {
        kfree(buffer);
        kfree(bytes);
        return NULL;
    }
    *buffer = (struct buffer){.bytes = bytes};
    cache->count++;
    return buffer;
}

static void free_buffer(struct cache *cache, struct buffer *buffer)
{
    cache->count--;
    kfree(buffer->bytes);
    kfree(buffer);
}

int cache_init(struct cache *cache, struct disk *disk, uint64_t first, unsigned limit)
{
    *cache = (struct cache){.disk = disk, .first = first, .limit = limit};
    while (cache->count < limit) {
        struct buffer *buffer = new_buffer(cache);

        if (buffer == NULL) {
            cache_destroy(cache);
            return FS_NO_MEMORY;
        }
        queue_list_push(&cache->idle, &buffer->idle);
    }
    return 0;
}

void cache_destroy(struct cache *cache)
{
    struct queue_link *link;

    while ((link = queue_list_pop(&cache->idle)) != NULL)
        free_buffer(cache, queue_entry(link, struct buffer, idle));
}

static struct buffer *find_locked(struct cache *cache, uint32_t block)
{
    struct queue_list *list = bucket(cache, block);

    for (struct queue_link *l = queue_list_first(list); l != NULL; l = queue_list_after(list, l)) {
        struct buffer *buffer = queue_entry(l, struct buffer, hash);

        if (buffer->block == block)
            return buffer;
    }
    return NULL;
}

/* The block's buffer with one more reference; its bytes may not be valid. */
static struct buffer *claim_locked(struct cache *cache, uint32_t block)
{
    struct buffer *buffer = find_locked(cache, block);
    struct queue_link *oldest;

    if (buffer != NULL) {
        if (buffer->idle.next != NULL)
            queue_list_remove(&buffer->idle);
        buffer->references++;
        cache->hits++;
        return buffer;
    }
    oldest = queue_list_pop(&cache->idle);
    if (oldest != NULL)
        buffer = queue_entry(oldest, struct buffer, idle);
    else
        buffer = new_buffer(cache);
    if (buffer == NULL)
        return NULL;
    if (buffer->hash.next != NULL)
        queue_list_remove(&buffer->hash);
    buffer->block = block;
    buffer->valid = false;
    buffer->references = 1;
    queue_list_push(bucket(cache, block), &buffer->hash);
    cache->misses++;
    return buffer;
}

static struct buffer *claim(struct cache *cache, uint32_t block)
{
    struct buffer *buffer;

    sync_mutex_take(&cache->mutex);
    buffer = claim_locked(cache, block);
    sync_mutex_give(&cache->mutex);
    if (buffer != NULL)
        sync_mutex_take(&buffer->mutex);
    return buffer;
}

int cache_get(struct cache *cache, uint32_t block, struct buffer **held)
{
    struct buffer *buffer = claim(cache, block);

    if (buffer == NULL)
        return FS_DISK;
    if (!buffer->valid) {
        int error = device_read(cache->disk, cache->first, block, buffer->bytes);

        if (error < 0) {
            cache_put(cache, buffer);
            return error;
        }
        buffer->valid = true;
    }
    *held = buffer;
    return 0;
}

int cache_get_zeroed(struct cache *cache, uint32_t block, struct buffer **held)
{
    struct buffer *buffer = claim(cache, block);

    if (buffer == NULL)
        return FS_DISK;
    memset(buffer->bytes, 0, HLEOS_FS_BLOCK);
    buffer->valid = true;
    *held = buffer;
    return 0;
}

/* Makes a buffer without references reusable, or frees it if there are more than the limit. */
static void rest_locked(struct cache *cache, struct buffer *buffer)
{
    if (buffer->references > 0 || buffer->pinned)
        return;
    if (cache->count > cache->limit) {
        queue_list_remove(&buffer->hash);
        free_buffer(cache, buffer);
    } else {
        queue_list_push(&cache->idle, &buffer->idle);
    }
}

void cache_put(struct cache *cache, struct buffer *buffer)
{
    sync_mutex_give(&buffer->mutex);
    sync_mutex_take(&cache->mutex);
    buffer->references--;
    rest_locked(cache, buffer);
    sync_mutex_give(&cache->mutex);
}

bool cache_pin(struct cache *cache, struct buffer *buffer)
{
    bool was;

    sync_mutex_take(&cache->mutex);
    was = buffer->pinned;
    buffer->pinned = true;
    sync_mutex_give(&cache->mutex);
    return !was;
}

void cache_unpin(struct cache *cache, struct buffer *buffer)
{
    sync_mutex_take(&cache->mutex);
    buffer->pinned = false;
    rest_locked(cache, buffer);
    sync_mutex_give(&cache->mutex);
}
