/*
 * Checks a file system; see check.h. It has its own code to read the image, and shares only the
 * validity rules (fs/format.h) with the kernel, so that it does not repeat an error of the kernel.
 * It checks:
 *
 *   - superblock and log are valid
 *   - each inode in use has a valid type, size and pointers, and no pointer behind its end
 *   - no block belongs to two inodes
 *   - the bitmap has a bit for metadata and blocks in use, and no others
 *   - the directories are one tree from the root; "." and ".." are right; names are unique
 *   - each inode has as many names as its count of links says
 */
#include "check.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/crc32.h"
#include "fs/format.h"

struct check {
    unsigned char *bytes;
    struct hleos_fs_super super;
    struct hleos_fs_inode *inodes;
    uint32_t *owner;   /* by block: the inode that has it, 0: none */
    uint32_t *names;   /* by inode: how many entries name it */
    uint32_t *parent;  /* by inode: the directory that a directory was reached from */
    uint32_t *pending; /* directories not read yet */
    uint32_t pending_count;
    uint64_t entries; /* directory entries read so far */
    void (*report)(const char *line);
    struct check_result result;
};

static void complain(struct check *c, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void complain(struct check *c, const char *format, ...)
{
    char line[256];
    va_list args;

    if (c->result.errors++ >= CHECK_LINES_MAX)
        return;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    c->report(line);
}

static unsigned char *block_at(const struct check *c, uint32_t block)
{
    return c->bytes + (size_t)block * HLEOS_FS_BLOCK;
}

/* --- log ------------------------------------------------------------------------------------ */

/* The number of a whole transaction in that area, or 0. */
static uint64_t whole_transaction(struct check *c, unsigned area, struct hleos_fs_log *log)
{
    uint32_t start = c->super.log_start + area * c->super.log_blocks, crc;
    const char *why;

    memcpy(log, block_at(c, start), sizeof *log);
    if (log->magic != HLEOS_FS_LOG_MAGIC || log->count >= c->super.log_blocks)
        return 0;
    crc = crc32_update(format_log_crc(log), block_at(c, start + 1),
                       (size_t)log->count * HLEOS_FS_BLOCK);
    if (crc != log->crc32)
        return 0;
    why = format_check_log(&c->super, area, log);
    if (why != NULL)
        complain(c, "log area %u: %s", area, why);
    return why == NULL ? log->sequence : 0;
}

static void replay(struct check *c)
{
    struct hleos_fs_log log[2];
    uint64_t number[2] = {whole_transaction(c, 0, &log[0]), whole_transaction(c, 1, &log[1])};
    unsigned first = number[0] > number[1];

    if (number[0] == 0 && number[1] == 0)
        complain(c, "the log has no valid header");
    for (unsigned turn = 0; turn < 2; turn++) {
        unsigned area = turn ^ first;
        uint32_t start = c->super.log_start + area * c->super.log_blocks;

        for (uint32_t i = 0; number[area] != 0 && i < log[area].count; i++)
            memcpy(block_at(c, log[area].home[i]), block_at(c, start + 1 + i), HLEOS_FS_BLOCK);
    }
}

/* --- blocks --------------------------------------------------------------------------------- */

static bool claim(struct check *c, uint32_t inode, uint32_t block)
{
    if (!format_is_data(&c->super, block)) {
        complain(c, "inode %u: a pointer to block %u, which is not a data block", inode, block);
        return false;
    }
    if (c->owner[block] != 0) {
        complain(c, "inode %u: block %u belongs to inode %u already", inode, block,
                 c->owner[block]);
        return false;
    }
    c->owner[block] = inode;
    return true;
}

/* Claims all blocks below a pointer. Its first block is file block `first`; `end` is the file's
 * end. Each block of pointers is claimed before it is read, so none is read twice. */
static void claim_tree(struct check *c, uint32_t inode, uint32_t pointer, unsigned depth,
                       uint64_t first, uint64_t end)
{
    static const uint64_t span[] = {1, HLEOS_FS_POINTERS,
                                    (uint64_t)HLEOS_FS_POINTERS * HLEOS_FS_POINTERS};

    if (pointer == 0)
        return;
    if (first >= end)
        complain(c, "inode %u: block %u lies behind its end", inode, pointer);
    if (!claim(c, inode, pointer) || depth == 0)
        return;
    for (uint32_t i = 0; i < HLEOS_FS_POINTERS; i++) {
        uint32_t below;

        memcpy(&below, block_at(c, pointer) + i * sizeof below, sizeof below);
        claim_tree(c, inode, below, depth - 1, first + i * span[depth - 1], end);
    }
}

static void check_inode(struct check *c, uint32_t number)
{
    const struct hleos_fs_inode *inode = &c->inodes[number];
    uint64_t end = (inode->size + HLEOS_FS_BLOCK - 1) / HLEOS_FS_BLOCK;
    const char *why = format_check_inode(inode);

    if (why != NULL) {
        complain(c, "inode %u: %s", number, why);
        return;
    }
    for (uint32_t i = 0; i < HLEOS_FS_DIRECT; i++)
        claim_tree(c, number, inode->direct[i], 0, i, end);
    claim_tree(c, number, inode->indirect, 1, HLEOS_FS_DIRECT, end);
    claim_tree(c, number, inode->double_indirect, 2, HLEOS_FS_DIRECT + HLEOS_FS_POINTERS, end);
    c->result.files += inode->type == HLEOS_FS_FILE;
    c->result.directories += inode->type == HLEOS_FS_DIRECTORY;
    c->result.devices += inode->type == HLEOS_FS_DEVICE;
}

static void check_bitmap(struct check *c)
{
    const unsigned char *bits = block_at(c, c->super.bitmap_start);

    for (uint32_t block = 0; block < c->super.blocks; block++) {
        bool used = block < c->super.data_start || c->owner[block] != 0;
        bool said = bits[block / 8] >> block % 8 & 1;

        c->result.used_blocks += used;
        if (used && !said)
            complain(c, "block %u is in use (inode %u), but free in the bitmap", block,
                     c->owner[block]);
        if (said && !used)
            complain(c, "block %u is in no file, but used in the bitmap", block);
    }
}

/* --- the tree ------------------------------------------------------------------------------- */

/* The file's block for reading; NULL for a hole or an invalid pointer. */
static const void *file_block(const struct check *c, uint32_t number, uint64_t index)
{
    struct hleos_fs_inode inode = c->inodes[number];
    struct format_position position = format_position(&inode, index);
    uint32_t at = *position.pointer;

    for (unsigned level = 0; level < position.depth && format_is_data(&c->super, at); level++)
        memcpy(&at, block_at(c, at) + position.slots[level] * sizeof at, sizeof at);
    return format_is_data(&c->super, at) ? block_at(c, at) : NULL;
}

static void enter(struct check *c, uint32_t directory, const struct hleos_fs_entry *entry)
{
    uint32_t number = entry->inode;

    if (number >= format_inodes(&c->super) || c->inodes[number].type == HLEOS_FS_FREE) {
        complain(c, "directory %u: %.60s names inode %u, which is not in use", directory,
                 entry->name, number);
        return;
    }
    c->names[number]++;
    if (strcmp(entry->name, ".") == 0) {
        if (number != directory)
            complain(c, "directory %u: its \".\" is %u", directory, number);
    } else if (strcmp(entry->name, "..") == 0) {
        if (number != c->parent[directory])
            complain(c, "directory %u: its \"..\" is %u, not %u", directory, number,
                     c->parent[directory]);
    } else if (c->inodes[number].type == HLEOS_FS_DIRECTORY) {
        if (c->parent[number] != 0) {
            complain(c, "directory %u is in %u and in %u", number, c->parent[number], directory);
            return;
        }
        c->parent[number] = directory;
        if (format_check_inode(&c->inodes[number]) == NULL)
            c->pending[c->pending_count++] = number;
    }
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* `names` are the names in the directory. */
static void check_names(struct check *c, uint32_t directory, const char **names, size_t count)
{
    bool dots[2] = {0};

    qsort(names, count, sizeof *names, by_name);
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && strcmp(names[i - 1], names[i]) == 0)
            complain(c, "directory %u: it has the name %s twice", directory, names[i]);
        dots[0] |= strcmp(names[i], ".") == 0;
        dots[1] |= strcmp(names[i], "..") == 0;
    }
    if (!dots[0] || !dots[1])
        complain(c, "directory %u: \".\" or \"..\" is missing", directory);
}

static void check_directory(struct check *c, uint32_t directory)
{
    enum { PER_BLOCK = HLEOS_FS_BLOCK / sizeof(struct hleos_fs_entry) };
    size_t entries = c->inodes[directory].size / sizeof(struct hleos_fs_entry), count = 0;
    const char **names = malloc((entries + 1) * sizeof *names);

    c->entries += entries;
    if (c->entries > (uint64_t)c->super.blocks * PER_BLOCK) {
        complain(c, "directory %u: more entries than blocks have room for", directory);
        entries = 0;
    }
    for (size_t i = 0; names != NULL && i < entries; i++) {
        const struct hleos_fs_entry *block = file_block(c, directory, i / PER_BLOCK);
        const struct hleos_fs_entry *entry = block + i % PER_BLOCK;

        if (block == NULL) {
            complain(c, "directory %u: a hole at entry %zu", directory, i);
            break;
        }
        if (entry->inode == 0)
            continue;
        if (memchr(entry->name, 0, sizeof entry->name) == NULL || entry->name[0] == '\0' ||
            strchr(entry->name, '/') != NULL) {
            complain(c, "directory %u: entry %zu has no valid name", directory, i);
            continue;
        }
        names[count++] = entry->name;
        enter(c, directory, entry);
    }
    if (names != NULL)
        check_names(c, directory, names, count);
    free(names);
}

static void check_tree(struct check *c)
{
    if (c->inodes[HLEOS_FS_ROOT].type != HLEOS_FS_DIRECTORY ||
        format_check_inode(&c->inodes[HLEOS_FS_ROOT]) != NULL) {
        complain(c, "the root is not a directory");
        return;
    }
    c->parent[HLEOS_FS_ROOT] = HLEOS_FS_ROOT;
    c->pending[c->pending_count++] = HLEOS_FS_ROOT;
    while (c->pending_count > 0)
        check_directory(c, c->pending[--c->pending_count]);
    for (uint32_t i = HLEOS_FS_ROOT; i < format_inodes(&c->super); i++) {
        const struct hleos_fs_inode *inode = &c->inodes[i];

        if (inode->type == HLEOS_FS_FREE)
            continue;
        if (inode->links != c->names[i])
            complain(c, "inode %u: %u links, but %u names", i, inode->links, c->names[i]);
        else if (inode->links == 0)
            c->result.orphans++;
    }
}

struct check_result check_image(const void *bytes, size_t size, void (*report)(const char *line))
{
    struct check c = {.report = report};
    const char *why = "shorter than a superblock";
    size_t blocks, inodes;

    if (size >= HLEOS_FS_BLOCK) {
        memcpy(&c.super, bytes, sizeof c.super);
        why = format_check(&c.super, size / HLEOS_FS_BLOCK);
    }
    if (why != NULL) {
        complain(&c, "%s", why);
        return c.result;
    }
    blocks = c.result.blocks = c.super.blocks;
    inodes = format_inodes(&c.super);
    c.bytes = malloc(blocks * HLEOS_FS_BLOCK);
    c.owner = calloc(blocks, sizeof *c.owner);
    c.names = calloc(3 * inodes, sizeof *c.names);
    if (c.bytes == NULL || c.owner == NULL || c.names == NULL) {
        complain(&c, "no memory for a copy of the file system");
    } else {
        c.parent = c.names + inodes;
        c.pending = c.parent + inodes;
        memcpy(c.bytes, bytes, blocks * HLEOS_FS_BLOCK);
        replay(&c);
        c.inodes = (struct hleos_fs_inode *)block_at(&c, c.super.inode_start);
        if (c.inodes[0].type != HLEOS_FS_FREE)
            complain(&c, "inode 0 is in use");
        for (uint32_t i = HLEOS_FS_ROOT; i < inodes; i++)
            if (c.inodes[i].type != HLEOS_FS_FREE)
                check_inode(&c, i);
        check_tree(&c);
        check_bitmap(&c);
    }
    free(c.bytes);
    free(c.owner);
    free(c.names);
    return c.result;
}
