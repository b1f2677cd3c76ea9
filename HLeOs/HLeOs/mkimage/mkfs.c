/* Writes the empty file system; the kernel's own code adds the files. */
#include "mkfs.h"

#include <string.h>

#include "common/crc32.h"
#include "fs/format.h"
#include "fs/fs.h"
#include "ram.h"

static unsigned char *block_at(unsigned char *bytes, uint32_t block)
{
    return bytes + (size_t)block * HLEOS_FS_BLOCK;
}

const char *mkfs_format(unsigned char *bytes, size_t size)
{
    struct hleos_fs_super super;
    const char *why = format_plan(&super, size / HLEOS_FS_BLOCK);
    struct hleos_fs_inode root = {.type = HLEOS_FS_DIRECTORY, .links = 2};
    struct hleos_fs_entry entries[2] = {{HLEOS_FS_ROOT, "."}, {HLEOS_FS_ROOT, ".."}};
    struct hleos_fs_log log = {.magic = HLEOS_FS_LOG_MAGIC, .sequence = 1};

    if (why != NULL)
        return why;
    memcpy(bytes, &super, sizeof super);
    log.crc32 = format_log_crc(&log);
    memcpy(block_at(bytes, super.log_start + super.log_blocks), &log, sizeof log);
    root.size = sizeof entries;
    root.direct[0] = super.data_start;
    memcpy(block_at(bytes, super.inode_start) + HLEOS_FS_ROOT * sizeof root, &root, sizeof root);
    memcpy(block_at(bytes, super.data_start), entries, sizeof entries);
    for (uint32_t used = 0; used <= super.data_start; used++)
        block_at(bytes, super.bitmap_start)[used / 8] |= (unsigned char)(1u << used % 8);
    return NULL;
}

/* Makes the directories of a path that do not exist. */
static int make_directories(struct inode *root, const char *path)
{
    char name[1024];

    if (strlen(path) >= sizeof name)
        return FS_NAME;
    for (const char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        int error;

        memcpy(name, path, (size_t)(slash - path));
        name[slash - path] = '\0';
        error = fs_create(root, name, HLEOS_FS_DIRECTORY, 0, NULL);
        if (error < 0 && error != FS_EXISTS)
            return error;
    }
    return 0;
}

static int add(struct inode *root, const struct mkfs_file *file)
{
    struct inode *inode;
    int64_t written;
    int error = make_directories(root, file->path);

    if (error == 0)
        error = fs_create(root, file->path, HLEOS_FS_FILE, 0, &inode);
    if (error < 0)
        return error;
    written = fs_write(inode, 0, file->bytes, file->size);
    fs_release(inode);
    if (written >= 0 && (size_t)written < file->size)
        return FS_NO_SPACE;
    return written < 0 ? (int)written : 0;
}

int mkfs_add(unsigned char *bytes, size_t size, const struct mkfs_file *files, size_t count,
             size_t *which)
{
    struct inode *root;
    const char *why;
    struct ram ram;
    struct fs *fs;
    int error;

    *which = 0;
    ram_init(&ram, bytes, size);
    error = fs_mount(&ram.disk, 0, ram.disk.sectors, &fs, &why);
    if (error < 0)
        return error;
    root = fs_root(fs);
    for (size_t i = 0; i < count && error == 0; i++) {
        *which = i;
        error = add(root, &files[i]);
    }
    fs_release(root);
    if (error == 0)
        error = fs_sync(fs);
    fs_unmount(fs);
    return error;
}
