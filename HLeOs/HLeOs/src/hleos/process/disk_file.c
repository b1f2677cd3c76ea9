/* See disk_file.h. The file holds its inode, which exists until the file is closed, even without a
 * name. */
#include "process/disk_file.h"

#include "common/string.h"
#include "fs/fs.h"

static int64_t read_file(struct file *file, void *to, size_t size)
{
    int64_t got;

    sync_mutex_take(&file->mutex);
    got = fs_read(file->object, file->offset, to, size);
    if (got > 0)
        file->offset += (uint64_t)got;
    sync_mutex_give(&file->mutex);
    return got < 0 ? -1 : got;
}

static int64_t write_file(struct file *file, const void *from, size_t size)
{
    int64_t put;

    sync_mutex_take(&file->mutex);
    put = fs_write(file->object, file->offset, from, size);
    if (put > 0)
        file->offset += (uint64_t)put;
    sync_mutex_give(&file->mutex);
    return put < 0 ? -1 : put;
}

/* Reads only whole entries. */
static int64_t read_directory(struct file *file, void *to, size_t size)
{
    struct hleos_entry *entries = to;
    size_t count = 0;
    int more = 1;

    if (size < sizeof *entries)
        return -1;
    sync_mutex_take(&file->mutex);
    while (count < size / sizeof *entries) {
        struct hleos_fs_entry entry;

        more = fs_entry(file->object, &file->offset, &entry);
        if (more <= 0)
            break;
        entries[count].inode = entry.inode;
        string_copy(entries[count++].name, entry.name, sizeof entries->name);
    }
    sync_mutex_give(&file->mutex);
    return more < 0 && count == 0 ? -1 : (int64_t)(count * sizeof *entries);
}

static void stat_file(struct file *file, struct hleos_stat *stat)
{
    static const uint16_t types[] = {[HLEOS_FS_FILE] = HLEOS_FILE,
                                     [HLEOS_FS_DIRECTORY] = HLEOS_DIRECTORY,
                                     [HLEOS_FS_DEVICE] = HLEOS_DEVICE};
    struct fs_stat s;

    *stat = (struct hleos_stat){.type = 0};
    if (fs_stat(file->object, &s) == 0)
        *stat = (struct hleos_stat){
            .type = types[s.type], .links = (uint16_t)s.links, .inode = s.inode, .size = s.size};
}

static int sync_file(struct file *file)
{
    return fs_sync(fs_of(file->object)) < 0 ? -1 : 0;
}

static void close_file(struct file *file)
{
    fs_release(file->object);
}

static const struct file_operations file_operations = {.read = read_file,
                                                       .write = write_file,
                                                       .stat = stat_file,
                                                       .sync = sync_file,
                                                       .close = close_file,
                                                       .seekable = true},
                                    directory_operations = {.read = read_directory,
                                                            .stat = stat_file,
                                                            .sync = sync_file,
                                                            .close = close_file};

static int find(struct inode *from, const char *path, unsigned how, struct inode **inode)
{
    int error = FS_EXISTS;

    if (how & HLEOS_OPEN_CREATE)
        error = fs_create(from, path, HLEOS_FS_FILE, 0, inode);
    return error == FS_EXISTS ? fs_lookup(from, path, inode) : error;
}

int disk_file_open(struct inode *from, const char *path, unsigned how, struct file **file,
                   uint32_t *device)
{
    bool writable = how & (HLEOS_OPEN_WRITE | HLEOS_OPEN_READ_WRITE);
    struct inode *inode = NULL;
    struct fs_stat stat;
    int error = find(from, path, how, &inode);

    *file = NULL;
    if (error == 0)
        error = fs_stat(inode, &stat);
    if (error == 0 && stat.type == HLEOS_FS_DIRECTORY && writable)
        error = FS_IS_DIRECTORY;
    if (error == 0 && stat.type == HLEOS_FS_DEVICE)
        error = DISK_FILE_DEVICE;
    *device = error == DISK_FILE_DEVICE ? stat.device : 0;
    if (error == 0 && (how & HLEOS_OPEN_TRUNCATE))
        error = writable ? fs_truncate(inode, 0) : FS_INVALID;
    if (error == 0) {
        *file =
            file_create(stat.type == HLEOS_FS_DIRECTORY ? &directory_operations : &file_operations,
                        inode, !(how & HLEOS_OPEN_WRITE), writable);
        error = *file != NULL ? 0 : FS_NO_MEMORY;
    }
    if (error != 0)
        fs_release(inode);
    return error;
}
