/* Group commit and recovery; see log.h. */
#include "fs/log.h"

#include "common/crc32.h"
#include "common/string.h"
#include "fs/cache.h"
#include "fs/device.h"
#include "fs/format.h"
#include "fs/fs.h"
#include "kmalloc.h"

static uint32_t area_start(const struct log *log, uint64_t sequence)
{
    return log->super->log_start + (uint32_t)(sequence % 2) * log->super->log_blocks;
}

static int read_block(const struct log *log, uint32_t block, void *bytes)
{
    return device_read(log->cache->disk, log->cache->first, block, bytes);
}

static int write_block(const struct log *log, uint32_t block, const void *bytes)
{
    return device_write(log->cache->disk, log->cache->first, block, bytes);
}

/* --- recovery ------------------------------------------------------------------------------- */

/* Reads an area's header, and its data for the CRC. Returns the transaction's number, 0 if the area
 * has no complete transaction, or an error. `data` has room for a block. */
static int64_t check_area(const struct log *log, unsigned area, uint8_t *data, const char **why)
{
    struct hleos_fs_log *header = log->header;
    uint32_t start = area_start(log, area), crc;

    if (read_block(log, start, data) < 0)
        return FS_DISK;
    memcpy(header, data, sizeof *header);
    if (header->magic != HLEOS_FS_LOG_MAGIC || header->count >= log->super->log_blocks)
        return 0;
    crc = format_log_crc(header);
    for (uint32_t i = 0; i < header->count; i++) {
        if (read_block(log, start + 1 + i, data) < 0)
            return FS_DISK;
        crc = crc32_update(crc, data, HLEOS_FS_BLOCK);
    }
    if (crc != header->crc32)
        return 0; /* the machine stopped before it was whole */
    *why = format_check_log(log->super, area, header);
    return *why != NULL ? FS_CORRUPT : (int64_t)header->sequence;
}

/* Copies a transaction's blocks to their places, with the header that check_area() has read. */
static int copy_home(const struct log *log, unsigned area, uint8_t *data)
{
    for (uint32_t i = 0; i < log->header->count; i++)
        if (read_block(log, area_start(log, area) + 1 + i, data) < 0 ||
            write_block(log, log->header->home[i], data) < 0)
            return FS_DISK;
    return 0;
}

/* Recovers the lower number first: the higher one may have newer contents of the same blocks. */
static int recover(struct log *log, uint8_t *data, const char **why)
{
    int64_t number[2] = {check_area(log, 0, data, why), 0};

    if (number[0] < 0)
        return (int)number[0];
    number[1] = check_area(log, 1, data, why);
    if (number[1] < 0)
        return (int)number[1];
    if (number[0] == 0 && number[1] == 0) {
        *why = "the log has no valid header";
        return FS_CORRUPT;
    }
    for (int turn = 0; turn < 2; turn++) {
        unsigned area = (number[0] < number[1]) == (turn == 1);
        int64_t found = number[area] == 0 ? 0 : check_area(log, area, data, why);

        if (found < 0 || (found > 0 && copy_home(log, area, data) < 0))
            return FS_DISK;
    }
    log->committed = (uint64_t)(number[0] > number[1] ? number[0] : number[1]);
    log->sequence = log->committed + 1;
    return device_flush(log->cache->disk);
}

int log_init(struct log *log, struct cache *cache, const struct hleos_fs_super *super,
             const char **why)
{
    uint8_t *data = kmalloc(HLEOS_FS_BLOCK);
    int error = FS_NO_MEMORY;

    *log = (struct log){.cache = cache, .super = super, .header = kmalloc(HLEOS_FS_BLOCK)};
    if (data != NULL && log->header != NULL)
        error = recover(log, data, why);
    kfree(data);
    if (error < 0)
        log_destroy(log);
    return error;
}

void log_destroy(struct log *log)
{
    for (unsigned i = 0; i < log->count; i++)
        cache_unpin(log->cache, log->blocks[i]);
    kfree(log->header);
}

/* --- commit --------------------------------------------------------------------------------- */

/* Writes a transaction to the log. No call is active and none begins, so the blocks do not
 * change. */
static int write_transaction(struct log *log)
{
    uint32_t start = area_start(log, log->sequence), crc;
    struct hleos_fs_log *header = log->header;

    memset(header, 0, HLEOS_FS_BLOCK);
    header->magic = HLEOS_FS_LOG_MAGIC;
    header->count = log->count;
    header->sequence = log->sequence;
    for (unsigned i = 0; i < log->count; i++)
        header->home[i] = log->blocks[i]->block;
    crc = format_log_crc(header);
    for (unsigned i = 0; i < log->count; i++) {
        crc = crc32_update(crc, log->blocks[i]->bytes, HLEOS_FS_BLOCK);
        if (write_block(log, start + 1 + i, log->blocks[i]->bytes) < 0)
            return FS_DISK;
    }
    header->crc32 = crc;
    if (write_block(log, start, header) < 0)
        return FS_DISK;
    return device_flush(log->cache->disk);
}

/* Writes the blocks to their places. They need no flush: that of the next transaction comes before
 * this one's area is reused. */
static int write_home(struct log *log)
{
    for (unsigned i = 0; i < log->count; i++) {
        if (write_block(log, log->blocks[i]->block, log->blocks[i]->bytes) < 0)
            return FS_DISK;
    }
    for (unsigned i = 0; i < log->count; i++)
        cache_unpin(log->cache, log->blocks[i]);
    log->count = 0;
    return 0;
}

/* Called with the mutex, which it releases while it writes; no call is active. */
static void commit_locked(struct log *log)
{
    int error;

    log->committing = true;
    sync_mutex_give(&log->mutex);
    error = write_transaction(log);
    if (error == 0) {
        sync_mutex_take(&log->mutex);
        log->committed = log->sequence++;
        log->written += log->count;
        sync_mutex_give(&log->mutex);
        error = write_home(log);
    }
    sync_mutex_take(&log->mutex);
    if (error < 0)
        log->error = error;
    log->committing = log->wanted = false;
    sync_condition_broadcast(&log->changed);
}

static bool fits_locked(const struct log *log)
{
    return log->count + (log->calls + 1) * LOG_CALL_BLOCKS < log->super->log_blocks;
}

int log_begin(struct log *log)
{
    sync_mutex_take(&log->mutex);
    while (log->error == 0 && (log->committing || log->wanted || !fits_locked(log))) {
        if (!log->committing && log->calls == 0) {
            commit_locked(log);
        } else {
            if (!fits_locked(log) && log->count > 0)
                log->wanted = true; /* the last call that ends commits */
            sync_condition_wait(&log->changed, &log->mutex);
        }
    }
    if (log->error == 0)
        log->calls++;
    sync_mutex_give(&log->mutex);
    return log->error == 0 ? 0 : FS_READ_ONLY;
}

int log_end(struct log *log, int result)
{
    sync_mutex_take(&log->mutex);
    log->calls--;
    if (result == FS_DISK || result == FS_CORRUPT)
        log->error = result;
    if (log->calls == 0 && log->wanted && log->error == 0)
        commit_locked(log);
    sync_condition_broadcast(&log->changed);
    sync_mutex_give(&log->mutex);
    return result;
}

void log_write(struct log *log, struct buffer *buffer)
{
    if (!cache_pin(log->cache, buffer))
        return; /* the block is in the transaction already */
    sync_mutex_take(&log->mutex);
    if (log->count < log->super->log_blocks - 1)
        log->blocks[log->count++] = buffer;
    else
        log->error = FS_CORRUPT; /* a call changed more than LOG_CALL_BLOCKS */
    sync_mutex_give(&log->mutex);
}

int log_sync(struct log *log)
{
    uint64_t wanted;
    int error;

    sync_mutex_take(&log->mutex);
    if (log->error < 0) {
        error = log->error;
        sync_mutex_give(&log->mutex);
        return error;
    }
    wanted = log->sequence;
    if (log->count == 0 && log->calls == 0 && !log->committing)
        wanted = log->committed;
    while (log->error == 0 && log->committed < wanted) {
        if (!log->committing && log->calls == 0) {
            commit_locked(log);
        } else {
            log->wanted = true;
            sync_condition_wait(&log->changed, &log->mutex);
        }
    }
    error = log->committed >= wanted ? 0 : log->error;
    sync_mutex_give(&log->mutex);
    return error;
}

int log_error(struct log *log)
{
    int error;

    sync_mutex_take(&log->mutex);
    error = log->error;
    sync_mutex_give(&log->mutex);
    return error;
}
