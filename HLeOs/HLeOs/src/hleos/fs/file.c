/* Operations on an inode that is held; see fs.h. tree.c has those on names. */
#include "fs/fs.h"
#include "fs/inode.h"
#include "kmalloc.h"

/* --- references ----------------------------------------------------------------------------- */

struct fs *fs_of(const struct inode *inode)
{
    return inode->fs;
}

struct inode *fs_root(struct fs *fs)
{
    struct inode *root;

    return inode_get(fs, HLEOS_FS_ROOT, &root) == 0 ? root : NULL;
}

struct inode *fs_hold(struct inode *inode)
{
    sync_mutex_take(&inode->fs->inodes);
    inode->references++;
    sync_mutex_give(&inode->fs->inodes);
    return inode;
}

/* True if the inode has no name any more. Only the holder of the last reference may call this
 * without the inode's mutex. */
static bool is_nameless(const struct inode *inode)
{
    return inode->loaded && inode->disk.links == 0 && inode->disk.type != HLEOS_FS_FREE;
}

/* Frees an inode without a name. If that fails it stays on the disk, and the next mount frees
 * it. */
static int erase(struct inode *inode)
{
    struct log *log = &inode->fs->log;
    int error = log_begin(log);

    if (error < 0)
        return error;
    error = inode_lock(inode);
    if (error == 0) {
        error = inode_erase(inode);
        inode_unlock(inode);
    }
    return log_end(log, error);
}

/* Checks whether the reference is the last and drops it without releasing the mutex in between: if
 * two threads checked first and dropped then, neither would have the last one. During erase() a new
 * file may get the same number and lose its name, so this checks again. */
void fs_release(struct inode *inode)
{
    struct fs *fs;
    bool last;
    int error = 0;

    if (inode == NULL)
        return;
    fs = inode->fs;
    sync_mutex_take(&fs->inodes);
    while (inode->references == 1 && is_nameless(inode) && error == 0) {
        sync_mutex_give(&fs->inodes);
        error = erase(inode);
        sync_mutex_take(&fs->inodes);
    }
    inode->references--;
    last = inode->references == 0;
    if (last)
        queue_list_remove(&inode->link);
    sync_mutex_give(&fs->inodes);
    if (last)
        kfree(inode);
}

/* --- bytes ---------------------------------------------------------------------------------- */

int64_t fs_read(struct inode *inode, uint64_t offset, void *bytes, size_t count)
{
    int64_t result = inode_lock(inode);

    if (result < 0)
        return result;
    result = inode_read(inode, offset, bytes, count);
    inode_unlock(inode);
    return result;
}

/* Writes at most INODE_WRITE_MAX bytes, in one call of the log. */
static int64_t write_piece(struct inode *inode, uint64_t offset, const void *bytes, size_t count)
{
    struct log *log = &inode->fs->log;
    int64_t result = log_begin(log);

    if (result < 0)
        return result;
    result = inode_lock(inode);
    if (result == 0) {
        if (inode->disk.type == HLEOS_FS_FILE)
            result = inode_write(inode, offset, bytes, count);
        else
            result = inode->disk.type == HLEOS_FS_DIRECTORY ? FS_IS_DIRECTORY : FS_INVALID;
        inode_unlock(inode);
    }
    (void)log_end(log, result < 0 ? (int)result : 0);
    return result;
}

int64_t fs_write(struct inode *inode, uint64_t offset, const void *bytes, size_t count)
{
    size_t done = 0;

    do {
        size_t some = count - done < INODE_WRITE_MAX ? count - done : INODE_WRITE_MAX;
        int64_t written = write_piece(inode, offset + done, (const char *)bytes + done, some);

        if (written < 0)
            return done > 0 ? (int64_t)done : written;
        done += (size_t)written;
        if ((size_t)written < some)
            break;
    } while (done < count);
    return (int64_t)done;
}

int fs_truncate(struct inode *inode, uint64_t size)
{
    struct log *log = &inode->fs->log;
    int error = log_begin(log);

    if (error < 0)
        return error;
    error = inode_lock(inode);
    if (error == 0) {
        error = inode->disk.type == HLEOS_FS_FILE ? inode_resize(inode, size) : FS_INVALID;
        inode_unlock(inode);
    }
    return log_end(log, error);
}

int fs_stat(struct inode *inode, struct fs_stat *stat)
{
    int error = inode_lock(inode);

    if (error < 0)
        return error;
    *stat = (struct fs_stat){.inode = inode->number,
                             .device = inode->disk.device,
                             .type = inode->disk.type,
                             .links = inode->disk.links,
                             .size = inode->disk.size};
    inode_unlock(inode);
    return 0;
}

int fs_entry(struct inode *directory, uint64_t *offset, struct hleos_fs_entry *entry)
{
    int64_t result = inode_lock(directory);

    if (result < 0)
        return (int)result;
    if (directory->disk.type != HLEOS_FS_DIRECTORY) {
        result = FS_NOT_DIRECTORY;
    } else if (*offset % sizeof *entry != 0) {
        result = FS_INVALID;
    } else {
        do { /* skip free entries; a directory has at most 65,536 */
            result = inode_read(directory, *offset, entry, sizeof *entry);
            *offset += result > 0 ? (uint64_t)result : 0;
        } while (result > 0 && entry->inode == 0);
    }
    inode_unlock(directory);
    entry->name[HLEOS_FS_NAME_MAX] = '\0';
    return result > 0 ? 1 : (int)result;
}
