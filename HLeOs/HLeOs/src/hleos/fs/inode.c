/* Inodes: the table of those in memory, and where the bytes of a file lie; see inode.h. */
#include "fs/inode.h"

#include "common/string.h"
#include "fs/alloc.h"
#include "kmalloc.h"

static uint32_t table_block(const struct inode *inode)
{
    return inode->fs->super.inode_start + inode->number / (uint32_t)HLEOS_FS_INODES_PER_BLOCK;
}

static struct hleos_fs_inode *table_slot(const struct inode *inode, struct buffer *buffer)
{
    struct hleos_fs_inode *table = (struct hleos_fs_inode *)buffer->bytes;

    return &table[inode->number % HLEOS_FS_INODES_PER_BLOCK];
}

static struct inode *find_locked(struct fs *fs, uint32_t number)
{
    struct queue_list *list = &fs->held;

    for (struct queue_link *l = queue_list_first(list); l != NULL; l = queue_list_after(list, l)) {
        struct inode *inode = queue_entry(l, struct inode, link);

        if (inode->number == number)
            return inode;
    }
    return NULL;
}

int inode_get(struct fs *fs, uint32_t number, struct inode **found)
{
    struct inode *inode;

    if (number < HLEOS_FS_ROOT || number >= format_inodes(&fs->super))
        return FS_CORRUPT;
    sync_mutex_take(&fs->inodes);
    inode = find_locked(fs, number);
    if (inode == NULL) {
        inode = kmalloc(sizeof *inode);
        if (inode != NULL) {
            *inode = (struct inode){.fs = fs, .number = number};
            queue_list_push(&fs->held, &inode->link);
        }
    }
    if (inode != NULL)
        inode->references++;
    sync_mutex_give(&fs->inodes);
    *found = inode;
    return inode != NULL ? 0 : FS_NO_MEMORY;
}

int inode_lock(struct inode *inode)
{
    struct buffer *buffer;
    int error = 0;

    sync_mutex_take(&inode->mutex);
    if (!inode->loaded) {
        error = cache_get(&inode->fs->cache, table_block(inode), &buffer);
        if (error == 0) {
            inode->disk = *table_slot(inode, buffer);
            inode->loaded = true;
            cache_put(&inode->fs->cache, buffer);
        }
    }
    if (error == 0 && format_check_inode(&inode->disk) != NULL)
        error = FS_CORRUPT;
    if (error < 0)
        sync_mutex_give(&inode->mutex);
    return error;
}

void inode_unlock(struct inode *inode)
{
    sync_mutex_give(&inode->mutex);
}

int inode_update(struct inode *inode)
{
    struct buffer *buffer;
    int error = cache_get(&inode->fs->cache, table_block(inode), &buffer);

    if (error < 0)
        return error;
    *table_slot(inode, buffer) = inode->disk;
    log_write(&inode->fs->log, buffer);
    cache_put(&inode->fs->cache, buffer);
    return 0;
}

/* --- blocks --------------------------------------------------------------------------------- */

/* Reads a pointer in a block of pointers. Only one buffer is held at a time: on a damaged disk the
 * next block may be the same. */
static int read_slot(struct fs *fs, uint32_t block, unsigned slot, uint32_t *pointer)
{
    struct buffer *buffer;
    int error = cache_get(&fs->cache, block, &buffer);

    if (error < 0)
        return error;
    memcpy(pointer, buffer->bytes + slot * sizeof *pointer, sizeof *pointer);
    cache_put(&fs->cache, buffer);
    return *pointer == 0 || format_is_data(&fs->super, *pointer) ? 0 : FS_CORRUPT;
}

static int write_slot(struct fs *fs, uint32_t block, unsigned slot, uint32_t pointer)
{
    struct buffer *buffer;
    int error = cache_get(&fs->cache, block, &buffer);

    if (error < 0)
        return error;
    memcpy(buffer->bytes + slot * sizeof pointer, &pointer, sizeof pointer);
    log_write(&fs->log, buffer);
    cache_put(&fs->cache, buffer);
    return 0;
}

/* Follows the pointers to a block. If `room` is NULL, a hole gives block 0. Else missing blocks are
 * allocated from the *room reserved blocks. */
static int follow(struct inode *inode, uint64_t index, uint32_t *room, uint32_t *block)
{
    struct fs *fs = inode->fs;
    struct format_position position = format_position(&inode->disk, index);
    uint32_t at = *position.pointer, next;
    int error = 0;

    if (at == 0 && room != NULL) {
        error = alloc_block(fs, &at);
        *room -= 1;
        if (error == 0)
            *position.pointer = at; /* the caller writes the inode */
    }
    for (unsigned level = 0; level < position.depth && at != 0 && error == 0; level++) {
        if (!format_is_data(&fs->super, at))
            return FS_CORRUPT;
        error = read_slot(fs, at, position.slots[level], &next);
        if (error == 0 && next == 0 && room != NULL) {
            error = alloc_block(fs, &next);
            *room -= 1;
            if (error == 0)
                error = write_slot(fs, at, position.slots[level], next);
        }
        at = next;
    }
    if (error == 0 && at != 0 && !format_is_data(&fs->super, at))
        error = FS_CORRUPT;
    *block = at;
    return error;
}

int inode_map(struct inode *inode, uint64_t index, bool make, uint32_t *block)
{
    uint32_t room;
    int error = follow(inode, index, NULL, block);

    if (error < 0 || *block != 0 || !make)
        return error;
    room = format_position(&inode->disk, index).depth + 1;
    error = alloc_reserve(inode->fs, room);
    if (error < 0)
        return error;
    error = follow(inode, index, &room, block);
    alloc_unreserve(inode->fs, room);
    return error;
}

/* Frees the blocks of a tree of pointers from its block `from` on. If from is 0 it frees the block
 * of pointers too, and does not clear the pointers in it. */
static int cut(struct fs *fs, uint32_t *pointer, unsigned depth, uint64_t from)
{
    uint64_t span = depth == 2 ? HLEOS_FS_POINTERS : 1;

    if (*pointer == 0)
        return 0;
    if (!format_is_data(&fs->super, *pointer))
        return FS_CORRUPT;
    for (uint64_t i = from / span; depth > 0 && i < HLEOS_FS_POINTERS; i++) {
        uint32_t below, was;
        int error = read_slot(fs, *pointer, (unsigned)i, &below);

        was = below;
        if (error == 0)
            error = cut(fs, &below, depth - 1, i == from / span ? from % span : 0);
        if (error == 0 && from > 0 && below != was)
            error = write_slot(fs, *pointer, (unsigned)i, below);
        if (error < 0)
            return error;
    }
    if (from == 0) {
        int error = alloc_free(fs, *pointer);

        *pointer = 0;
        return error;
    }
    return 0;
}

static int cut_inode(struct inode *inode, uint64_t keep)
{
    struct hleos_fs_inode *disk = &inode->disk;
    uint64_t from[2] = {0};
    int error = 0;

    for (uint64_t i = keep; i < HLEOS_FS_DIRECT && error == 0; i++)
        error = cut(inode->fs, &disk->direct[i], 0, 0);
    if (keep > HLEOS_FS_DIRECT)
        from[0] = keep - HLEOS_FS_DIRECT;
    if (from[0] > HLEOS_FS_POINTERS)
        from[1] = from[0] - HLEOS_FS_POINTERS;
    if (error == 0 && from[0] < HLEOS_FS_POINTERS)
        error = cut(inode->fs, &disk->indirect, 1, from[0]);
    if (error == 0)
        error = cut(inode->fs, &disk->double_indirect, 2, from[1]);
    return error;
}

/* Clears the part of the last block behind the file's end: it must be zero when the file grows. */
static int clear_tail(struct inode *inode, uint64_t size)
{
    uint32_t block, used = size % HLEOS_FS_BLOCK;
    struct buffer *buffer;
    int error;

    if (used == 0)
        return 0;
    error = inode_map(inode, size / HLEOS_FS_BLOCK, false, &block);
    if (error < 0 || block == 0)
        return error;
    error = cache_get(&inode->fs->cache, block, &buffer);
    if (error < 0)
        return error;
    memset(buffer->bytes + used, 0, HLEOS_FS_BLOCK - used);
    log_write(&inode->fs->log, buffer);
    cache_put(&inode->fs->cache, buffer);
    return 0;
}

int inode_resize(struct inode *inode, uint64_t size)
{
    int error = 0;

    if (size > HLEOS_FS_FILE_MAX)
        return FS_TOO_LARGE;
    if (size < inode->disk.size) {
        error = cut_inode(inode, (size + HLEOS_FS_BLOCK - 1) / HLEOS_FS_BLOCK);
        if (error == 0)
            error = clear_tail(inode, size);
    }
    inode->disk.size = size;
    return error < 0 ? error : inode_update(inode);
}

int inode_erase(struct inode *inode)
{
    int error = cut_inode(inode, 0);

    inode->disk = (struct hleos_fs_inode){.type = HLEOS_FS_FREE};
    return error < 0 ? error : inode_update(inode);
}

/* --- bytes ---------------------------------------------------------------------------------- */

/* The number of bytes of [offset, offset + count) in its first block. */
static size_t in_block(uint64_t offset, size_t count)
{
    size_t room = HLEOS_FS_BLOCK - offset % HLEOS_FS_BLOCK;

    return count < room ? count : room;
}

int64_t inode_read(struct inode *inode, uint64_t offset, void *bytes, size_t count)
{
    struct cache *cache = &inode->fs->cache;
    size_t done = 0;

    if (offset >= inode->disk.size)
        return 0;
    if (count > inode->disk.size - offset)
        count = (size_t)(inode->disk.size - offset);
    while (done < count) {
        size_t some = in_block(offset + done, count - done);
        char *to = (char *)bytes + done;
        struct buffer *buffer;
        uint32_t block;
        int error = inode_map(inode, (offset + done) / HLEOS_FS_BLOCK, false, &block);

        if (error == 0 && block == 0)
            memset(to, 0, some);
        else if (error == 0)
            error = cache_get(cache, block, &buffer);
        if (error < 0)
            return error;
        if (block != 0) {
            memcpy(to, buffer->bytes + (offset + done) % HLEOS_FS_BLOCK, some);
            cache_put(cache, buffer);
        }
        done += some;
    }
    return (int64_t)done;
}

/* Writes within one block. */
static int write_some(struct inode *inode, uint64_t offset, const void *bytes, size_t count)
{
    struct cache *cache = &inode->fs->cache;
    struct buffer *buffer;
    uint32_t block;
    int error = inode_map(inode, offset / HLEOS_FS_BLOCK, true, &block);

    if (error == 0)
        error = count == HLEOS_FS_BLOCK ? cache_get_zeroed(cache, block, &buffer)
                                        : cache_get(cache, block, &buffer);
    if (error < 0)
        return error;
    memcpy(buffer->bytes + offset % HLEOS_FS_BLOCK, bytes, count);
    log_write(&inode->fs->log, buffer);
    cache_put(cache, buffer);
    return 0;
}

int64_t inode_write(struct inode *inode, uint64_t offset, const void *bytes, size_t count)
{
    size_t done = 0;
    int error = 0;

    if (offset > HLEOS_FS_FILE_MAX || count > HLEOS_FS_FILE_MAX - offset)
        return FS_TOO_LARGE;
    while (done < count) {
        size_t some = in_block(offset + done, count - done);

        error = write_some(inode, offset + done, (const char *)bytes + done, some);
        if (error < 0)
            break;
        done += some;
    }
    if (error < 0 && error != FS_NO_SPACE)
        return error;
    if (offset + done > inode->disk.size && done > 0)
        inode->disk.size = offset + done;
    if (done > 0 && inode_update(inode) < 0)
        return FS_DISK;
    return done > 0 ? (int64_t)done : error;
}
