/* Mounting, and figures of a whole file system; see fs.h. */
#include "fs/fs.h"

#include "common/string.h"
#include "fs/alloc.h"
#include "fs/device.h"
#include "fs/inode.h"
#include "kmalloc.h"

enum { BUFFERS = 192 /* 768 KB: one transaction, and 65 others */ };

const char *fs_error_text(int error)
{
    static const char *const texts[] = {
        [-FS_NOT_FOUND] = "no such file or directory",
        [-FS_EXISTS] = "it exists already",
        [-FS_NOT_DIRECTORY] = "not a directory",
        [-FS_IS_DIRECTORY] = "is a directory",
        [-FS_NOT_EMPTY] = "the directory is not empty",
        [-FS_NAME] = "not a valid name",
        [-FS_TOO_LARGE] = "too large",
        [-FS_TOO_MANY_LINKS] = "too many links",
        [-FS_NO_SPACE] = "the file system is full",
        [-FS_NO_INODES] = "the file system has no free inode",
        [-FS_NO_MEMORY] = "out of memory",
        [-FS_INVALID] = "not possible with this kind of file",
        [-FS_DISK] = "the disk fails",
        [-FS_CORRUPT] = "the file system is damaged",
        [-FS_READ_ONLY] = "the file system is read-only after an error",
        [-FS_NONE] = "not a file system of HLeOs",
    };

    if (error >= 0 || error < FS_NONE)
        return error == 0 ? "no error" : "unknown error";
    return texts[-error];
}

static int read_super(struct fs *fs, uint64_t first, uint64_t sectors, const char **why)
{
    uint8_t *block = kmalloc(HLEOS_FS_BLOCK);
    int error = block == NULL ? FS_NO_MEMORY : 0;

    if (error == 0 && sectors < DEVICE_SECTORS)
        error = FS_NONE;
    if (error == 0)
        error = device_read(fs->disk, first, 0, block);
    if (error == 0) {
        memcpy(&fs->super, block, sizeof fs->super);
        *why = format_check(&fs->super, sectors / DEVICE_SECTORS);
        if (*why != NULL)
            error = fs->super.magic == HLEOS_FS_MAGIC ? FS_CORRUPT : FS_NONE;
    }
    kfree(block);
    return error;
}

/* Erases files that had no name and were still open when the machine stopped. */
static int erase_orphans(struct fs *fs)
{
    uint32_t inodes = format_inodes(&fs->super);

    for (uint32_t number = HLEOS_FS_ROOT + 1; number < inodes; number++) {
        uint32_t block = fs->super.inode_start + number / (uint32_t)HLEOS_FS_INODES_PER_BLOCK;
        const struct hleos_fs_inode *slot;
        struct buffer *buffer;
        struct inode *inode;
        bool orphan;
        int error = cache_get(&fs->cache, block, &buffer);

        if (error < 0)
            return error;
        slot = (const struct hleos_fs_inode *)buffer->bytes + number % HLEOS_FS_INODES_PER_BLOCK;
        orphan = slot->type != HLEOS_FS_FREE && slot->links == 0;
        cache_put(&fs->cache, buffer);
        if (!orphan)
            continue;
        error = inode_get(fs, number, &inode);
        if (error == 0) {
            error = inode_lock(inode);
            if (error == 0)
                inode_unlock(inode);
            fs_release(inode); /* the last reference to an inode without links */
        }
        if (error == 0 && log_error(&fs->log) < 0)
            error = log_error(&fs->log);
        if (error < 0)
            return error;
    }
    return 0;
}

static int check_root(struct fs *fs)
{
    struct inode *root;
    int error = inode_get(fs, HLEOS_FS_ROOT, &root);

    if (error == 0) {
        error = inode_lock(root);
        if (error == 0) {
            if (root->disk.type != HLEOS_FS_DIRECTORY || root->disk.links == 0)
                error = FS_CORRUPT;
            inode_unlock(root);
        }
        fs_release(root);
    }
    return error;
}

static void destroy(struct fs *fs)
{
    log_destroy(&fs->log);
    cache_destroy(&fs->cache);
    kfree(fs);
}

int fs_mount(struct disk *disk, uint64_t first, uint64_t sectors, struct fs **mounted,
             const char **why)
{
    struct fs *fs = kmalloc(sizeof *fs);
    int error = fs == NULL ? FS_NO_MEMORY : 0;

    *why = NULL;
    if (error == 0) {
        *fs = (struct fs){.disk = disk, .next_inode = HLEOS_FS_ROOT + 1};
        error = read_super(fs, first, sectors, why);
    }
    if (error == 0)
        error = cache_init(&fs->cache, disk, first, BUFFERS);
    if (error < 0) {
        kfree(fs);
    } else {
        error = log_init(&fs->log, &fs->cache, &fs->super, why);
        if (error < 0) {
            cache_destroy(&fs->cache);
            kfree(fs);
        }
    }
    if (error == 0) {
        error = alloc_init(fs);
        if (error == FS_CORRUPT)
            *why = "blocks in use are free in the bitmap";
        if (error == 0) {
            error = check_root(fs);
            if (error == FS_CORRUPT)
                *why = "the root is not a directory";
        }
        if (error == 0) {
            error = erase_orphans(fs);
            if (error == FS_CORRUPT)
                *why = "an inode without a name is damaged";
        }
        if (error < 0)
            destroy(fs);
    }
    if (*why == NULL)
        *why = fs_error_text(error);
    *mounted = fs;
    return error;
}

void fs_unmount(struct fs *fs)
{
    if (fs_sync(fs) == 0)
        (void)device_flush(fs->disk); /* blocks that are not at their places are in the log */
    destroy(fs);
}

int fs_sync(struct fs *fs)
{
    return log_sync(&fs->log);
}

struct fs_stats fs_stats(struct fs *fs)
{
    struct fs_stats stats = {.blocks = fs->super.blocks, .inodes = format_inodes(&fs->super)};

    sync_mutex_take(&fs->alloc);
    stats.free_blocks = fs->free_blocks;
    sync_mutex_give(&fs->alloc);
    sync_mutex_take(&fs->log.mutex);
    stats.transactions = fs->log.committed;
    stats.log_writes = fs->log.written;
    stats.error = fs->log.error;
    sync_mutex_give(&fs->log.mutex);
    sync_mutex_take(&fs->cache.mutex);
    stats.cache_hits = fs->cache.hits;
    stats.cache_misses = fs->cache.misses;
    sync_mutex_give(&fs->cache.mutex);
    return stats;
}
