/* Layout and validity of a file system; see format.h. */
#include "fs/format.h"

#include "common/crc32.h"

enum { BLOCKS_PER_BITMAP = HLEOS_FS_BLOCK * 8, INODES_MAX_BLOCKS = 4096 };

static uint32_t super_crc(const struct hleos_fs_super *super)
{
    return crc32_update(0, super, offsetof(struct hleos_fs_super, crc32));
}

/* One inode for four blocks; the log gets a sixteenth of the blocks, within its limits. */
const char *format_plan(struct hleos_fs_super *super, uint64_t blocks)
{
    uint64_t log = blocks / 32, inodes = blocks / (4 * HLEOS_FS_INODES_PER_BLOCK) + 1;

    if (blocks > (uint64_t)HLEOS_FS_BITMAP_MAX * BLOCKS_PER_BITMAP)
        return "a file system has at most 2 GB";
    if (log < HLEOS_FS_LOG_MIN)
        log = HLEOS_FS_LOG_MIN;
    if (log > HLEOS_FS_LOG_MAX)
        log = HLEOS_FS_LOG_MAX;
    *super = (struct hleos_fs_super){
        .magic = HLEOS_FS_MAGIC,
        .version = HLEOS_FS_VERSION,
        .blocks = (uint32_t)blocks,
        .log_start = 1,
        .log_blocks = (uint32_t)log,
        .inode_start = (uint32_t)(1 + 2 * log),
        .inode_blocks = (uint32_t)inodes,
        .bitmap_start = (uint32_t)(1 + 2 * log + inodes),
        .bitmap_blocks = (uint32_t)((blocks + BLOCKS_PER_BITMAP - 1) / BLOCKS_PER_BITMAP),
    };
    super->data_start = super->bitmap_start + super->bitmap_blocks;
    super->crc32 = super_crc(super);
    if (super->data_start >= blocks)
        return "too small for a file system: its log alone has 384 KB";
    return NULL;
}

const char *format_check(const struct hleos_fs_super *s, uint64_t blocks)
{
    if (s->magic != HLEOS_FS_MAGIC)
        return "there is no superblock";
    if (s->crc32 != super_crc(s))
        return "the superblock is damaged: its CRC is wrong";
    if (s->version != HLEOS_FS_VERSION)
        return "the file system is of an unknown version";
    if (s->blocks > blocks)
        return "the file system is larger than its disk or partition";
    if (s->log_start != 1 || s->log_blocks < HLEOS_FS_LOG_MIN || s->log_blocks > HLEOS_FS_LOG_MAX)
        return "the superblock gives the log an impossible place or size";
    if (s->inode_start != 1 + 2 * s->log_blocks || s->inode_blocks == 0 ||
        s->inode_blocks > INODES_MAX_BLOCKS || s->bitmap_start != s->inode_start + s->inode_blocks)
        return "the superblock gives the inodes an impossible place or number";
    if (s->bitmap_blocks > HLEOS_FS_BITMAP_MAX ||
        s->bitmap_blocks != ((uint64_t)s->blocks + BLOCKS_PER_BITMAP - 1) / BLOCKS_PER_BITMAP ||
        s->data_start != s->bitmap_start + s->bitmap_blocks || s->data_start >= s->blocks)
        return "the superblock gives the bitmap an impossible place or size";
    return NULL;
}

const char *format_check_log(const struct hleos_fs_super *super, unsigned area,
                             const struct hleos_fs_log *log)
{
    if (log->magic != HLEOS_FS_LOG_MAGIC)
        return "not a log header";
    if (log->sequence == 0 || log->sequence >> 62 != 0 || log->sequence % 2 != area ||
        log->count >= super->log_blocks)
        return "a log header with an impossible number or length";
    for (uint32_t i = 0; i < log->count; i++)
        if (log->home[i] < super->inode_start || log->home[i] >= super->blocks)
            return "a log header with an impossible block number";
    return NULL;
}

uint32_t format_log_crc(const struct hleos_fs_log *log)
{
    static const uint32_t zero;
    size_t crc = offsetof(struct hleos_fs_log, crc32), home = offsetof(struct hleos_fs_log, home);
    uint32_t sum = crc32_update(crc32_update(0, log, crc), &zero, sizeof zero);

    return crc32_update(sum, (const uint8_t *)log + home, log->count * sizeof log->home[0]);
}

const char *format_check_inode(const struct hleos_fs_inode *inode)
{
    if (inode->type != HLEOS_FS_FILE && inode->type != HLEOS_FS_DIRECTORY &&
        inode->type != HLEOS_FS_DEVICE)
        return "an inode of an unknown type";
    if (inode->size > (inode->type == HLEOS_FS_DIRECTORY ? HLEOS_FS_DIRECTORY_MAX
                       : inode->type == HLEOS_FS_FILE    ? HLEOS_FS_FILE_MAX
                                                         : 0))
        return "an inode larger than its type allows";
    if (inode->type == HLEOS_FS_DIRECTORY && inode->size % sizeof(struct hleos_fs_entry) != 0)
        return "a directory that ends within an entry";
    return NULL;
}

struct format_position format_position(struct hleos_fs_inode *inode, uint64_t index)
{
    if (index < HLEOS_FS_DIRECT)
        return (struct format_position){.pointer = &inode->direct[index]};
    index -= HLEOS_FS_DIRECT;
    if (index < HLEOS_FS_POINTERS)
        return (struct format_position){&inode->indirect, 1, {(unsigned)index}};
    index -= HLEOS_FS_POINTERS;
    return (struct format_position){
        &inode->double_indirect,
        2,
        {(unsigned)(index / HLEOS_FS_POINTERS), (unsigned)(index % HLEOS_FS_POINTERS)}};
}
