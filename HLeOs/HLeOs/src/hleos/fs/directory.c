/* Directories: files of entries of 64 bytes, searched from the start; see directory.h. */
#include "fs/directory.h"

#include "common/string.h"
#include "fs/inode.h"

enum { SIZE = sizeof(struct hleos_fs_entry), PER_BLOCK = HLEOS_FS_BLOCK / SIZE };

/* Searches the entries until `match` accepts one. Returns 1 and its place, 0 at the end, or an
 * error. */
static int search(struct inode *directory,
                  bool (*match)(const struct hleos_fs_entry *, const void *), const void *context,
                  struct hleos_fs_entry *found, uint64_t *offset)
{
    struct cache *cache = &directory->fs->cache;
    uint64_t entries = directory->disk.size / SIZE;

    for (uint64_t first = 0; first < entries; first += PER_BLOCK) {
        uint64_t here = entries - first < PER_BLOCK ? entries - first : PER_BLOCK, i = 0;
        const struct hleos_fs_entry *table;
        struct buffer *buffer;
        uint32_t block;
        int error = inode_map(directory, first / PER_BLOCK, false, &block);

        if (error == 0)
            error = block == 0 ? FS_CORRUPT /* directories have no holes */
                               : cache_get(cache, block, &buffer);
        if (error < 0)
            return error;
        table = (const struct hleos_fs_entry *)buffer->bytes;
        while (i < here && !match(&table[i], context))
            i++;
        if (i < here)
            *found = table[i];
        cache_put(cache, buffer);
        *offset = (first + i) * SIZE;
        if (i < here)
            return 1;
    }
    return 0;
}

struct name {
    const char *text;
    size_t length;
};

static bool has_name(const struct hleos_fs_entry *entry, const void *context)
{
    const struct name *name = context;

    return entry->inode != 0 && entry->name[0] == name->text[0] && /* differs for most entries */
           strnlen(entry->name, sizeof entry->name) == name->length &&
           memcmp(entry->name, name->text, name->length) == 0;
}

static bool is_free(const struct hleos_fs_entry *entry, const void *context)
{
    (void)context;
    return entry->inode == 0;
}

static bool is_child(const struct hleos_fs_entry *entry, const void *context)
{
    static const struct name self = {".", 1}, parent = {"..", 2};

    (void)context;
    return entry->inode != 0 && !has_name(entry, &self) && !has_name(entry, &parent);
}

int directory_find(struct inode *directory, const char *name, size_t length, uint32_t *inode,
                   uint64_t *offset)
{
    struct hleos_fs_entry entry;
    int found = search(directory, has_name, &(struct name){name, length}, &entry, offset);

    if (found <= 0)
        return found < 0 ? found : FS_NOT_FOUND;
    *inode = entry.inode;
    return 0;
}

int directory_add(struct inode *directory, const char *name, size_t length, uint32_t inode)
{
    struct hleos_fs_entry entry, made = {.inode = inode};
    uint64_t offset;
    int64_t written;
    int found = search(directory, is_free, NULL, &entry, &offset);

    if (found < 0)
        return found;
    if (found == 0)
        offset = directory->disk.size;
    if (offset >= HLEOS_FS_DIRECTORY_MAX)
        return FS_TOO_LARGE;
    memcpy(made.name, name, length);
    written = inode_write(directory, offset, &made, sizeof made);
    return written < 0 ? (int)written : 0;
}

int directory_remove(struct inode *directory, uint64_t offset)
{
    static const struct hleos_fs_entry none;
    int64_t written = inode_write(directory, offset, &none, sizeof none);

    return written < 0 ? (int)written : 0;
}

int directory_is_empty(struct inode *directory)
{
    struct hleos_fs_entry entry;
    uint64_t offset;
    int found = search(directory, is_child, NULL, &entry, &offset);

    return found < 0 ? found : !found;
}
