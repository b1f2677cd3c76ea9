/* The bitmap, searched from where the last search ended; see alloc.h. */
#include "fs/alloc.h"

#include "common/string.h"
#include "fs/inode.h"

enum { BITS = HLEOS_FS_BLOCK * 8, WORD = 64 };

/* The number of bits in a bitmap block that stand for existing blocks. */
static uint32_t bits_of(const struct fs *fs, uint32_t bitmap)
{
    uint32_t left = fs->super.blocks - bitmap * BITS;

    return left < BITS ? left : BITS;
}

static bool get_bit(const uint8_t *bytes, uint32_t bit)
{
    return bytes[bit / 8] >> bit % 8 & 1;
}

int alloc_init(struct fs *fs)
{
    struct buffer *buffer;

    for (uint32_t i = 0; i < fs->super.bitmap_blocks; i++) {
        int error = cache_get(&fs->cache, fs->super.bitmap_start + i, &buffer);

        if (error < 0)
            return error;
        for (uint32_t bit = 0; bit < bits_of(fs, i); bit++) {
            bool used = get_bit(buffer->bytes, bit);

            fs->free_blocks += !used;
            if (!used && i * BITS + bit < fs->super.data_start)
                error = FS_CORRUPT;
        }
        cache_put(&fs->cache, buffer);
        if (error < 0)
            return error;
    }
    fs->next_block = fs->super.data_start;
    return 0;
}

int alloc_reserve(struct fs *fs, uint32_t count)
{
    bool enough;

    sync_mutex_take(&fs->alloc);
    enough = fs->free_blocks >= count;
    if (enough)
        fs->free_blocks -= count;
    sync_mutex_give(&fs->alloc);
    return enough ? 0 : FS_NO_SPACE;
}

void alloc_unreserve(struct fs *fs, uint32_t count)
{
    sync_mutex_take(&fs->alloc);
    fs->free_blocks += count;
    sync_mutex_give(&fs->alloc);
}

/* The first clear bit in [from, end), or end. Skips words whose bits are all set. */
static uint32_t find_clear(const uint8_t *bytes, uint32_t from, uint32_t end)
{
    while (from < end) {
        uint64_t word;

        memcpy(&word, bytes + from / WORD * 8, sizeof word);
        if (word == UINT64_MAX)
            from = (from / WORD + 1) * WORD;
        else if (!get_bit(bytes, from))
            return from;
        else
            from++;
    }
    return end;
}

/* Takes a free block of [from, end), which lies within one bitmap block; 0 if all are in use. */
static int take(struct fs *fs, uint32_t from, uint32_t end, uint32_t *block)
{
    struct buffer *buffer;
    uint32_t base = from / BITS * BITS, bit;
    int error = cache_get(&fs->cache, fs->super.bitmap_start + from / BITS, &buffer);

    if (error < 0)
        return error;
    bit = find_clear(buffer->bytes, from - base, end - base);
    *block = 0;
    if (bit < end - base) {
        buffer->bytes[bit / 8] |= (uint8_t)(1u << bit % 8);
        log_write(&fs->log, buffer);
        *block = base + bit;
    }
    cache_put(&fs->cache, buffer);
    return 0;
}

/* From next_block to the end, then from the start once more. */
static int take_next(struct fs *fs, uint32_t *block)
{
    uint32_t from = fs->next_block;

    *block = 0;
    for (uint32_t i = 0; i <= fs->super.bitmap_blocks; i++) {
        uint32_t end = (from / BITS + 1) * BITS;
        int error;

        if (end > fs->super.blocks)
            end = fs->super.blocks;
        error = take(fs, from, end, block);
        if (error < 0 || *block != 0) {
            fs->next_block = *block + 1 < fs->super.blocks ? *block + 1 : fs->super.data_start;
            return error;
        }
        from = end < fs->super.blocks ? end : fs->super.data_start;
    }
    return FS_CORRUPT; /* a block was reserved */
}

int alloc_block(struct fs *fs, uint32_t *block)
{
    struct buffer *buffer;
    int error;

    sync_mutex_take(&fs->alloc);
    error = take_next(fs, block);
    sync_mutex_give(&fs->alloc);
    if (error == 0 && !format_is_data(&fs->super, *block))
        error = FS_CORRUPT; /* the bitmap has changed since the search */
    if (error == 0)
        error = cache_get_zeroed(&fs->cache, *block, &buffer);
    if (error < 0)
        return error;
    log_write(&fs->log, buffer);
    cache_put(&fs->cache, buffer);
    return 0;
}

int alloc_free(struct fs *fs, uint32_t block)
{
    uint32_t bit = block % BITS;
    struct buffer *buffer;
    int error;

    if (!format_is_data(&fs->super, block))
        return FS_CORRUPT;
    sync_mutex_take(&fs->alloc);
    error = cache_get(&fs->cache, fs->super.bitmap_start + block / BITS, &buffer);
    if (error == 0) {
        if (get_bit(buffer->bytes, bit)) {
            buffer->bytes[bit / 8] &= (uint8_t) ~(1u << bit % 8);
            log_write(&fs->log, buffer);
            fs->free_blocks++;
        } else {
            error = FS_CORRUPT; /* two pointers to one block */
        }
        cache_put(&fs->cache, buffer);
    }
    sync_mutex_give(&fs->alloc);
    return error;
}

int alloc_inode(struct fs *fs, uint32_t *number)
{
    uint32_t inodes = format_inodes(&fs->super);

    for (uint32_t i = 0; i < fs->super.inode_blocks + 1; i++) {
        uint32_t at = fs->next_inode, in_block = at % HLEOS_FS_INODES_PER_BLOCK;
        const struct hleos_fs_inode *table;
        struct buffer *buffer;
        int error = cache_get(
            &fs->cache, fs->super.inode_start + at / (uint32_t)HLEOS_FS_INODES_PER_BLOCK, &buffer);

        if (error < 0)
            return error;
        table = (const struct hleos_fs_inode *)buffer->bytes;
        while (in_block < HLEOS_FS_INODES_PER_BLOCK &&
               (at <= HLEOS_FS_ROOT || table[in_block].type != HLEOS_FS_FREE)) {
            in_block++;
            at++;
        }
        cache_put(&fs->cache, buffer);
        fs->next_inode = at < inodes ? at : 0;
        if (in_block < HLEOS_FS_INODES_PER_BLOCK) {
            *number = at;
            return 0;
        }
    }
    return FS_NO_INODES;
}
