/* Finds and mounts the system's file system; see system.h. */
#include "fs/system.h"

#include "common/string.h"
#include "disk/disk.h"
#include "fs/fs.h"
#include "iostream.h"
#include "thread.h"

enum { TABLE = 446, ENTRY = 16, ENTRIES = 4, SIGNATURE = 510, TYPE = 4, FIRST = 8, COUNT = 12 };
enum { PERIOD_MS = 1000 };

static struct fs *mounted;

struct fs *system_fs(void)
{
    return mounted;
}

static uint32_t get_u32(const uint8_t *at)
{
    uint32_t value;

    memcpy(&value, at, sizeof value);
    return value;
}

static bool mount(struct disk *disk, uint64_t first, uint64_t sectors)
{
    const char *why;
    struct fs_stats stats;
    int error;

    if (first > disk->sectors || sectors > disk->sectors - first) {
        println("fs: %s: its partition ends beyond the disk", disk->name);
        return false;
    }
    error = fs_mount(disk, first, sectors, &mounted, &why);
    if (error < 0) {
        mounted = NULL;
        if (error != FS_NONE)
            println("fs: %s, sector %lu: %s", disk->name, first, why);
        return false;
    }
    stats = fs_stats(mounted);
    println("fs: %s, sector %lu: %u of %u blocks free, transaction %lu", disk->name, first,
            stats.free_blocks, stats.blocks, stats.transactions);
    return true;
}

static bool try_disk(struct disk *disk)
{
    uint8_t sector[DISK_SECTOR];

    if (disk_read(disk, 0, 1, sector) < 0) {
        println("fs: %s: its first sector cannot be read", disk->name);
        return false;
    }
    for (int i = 0; sector[SIGNATURE] == 0x55 && i < ENTRIES; i++) {
        const uint8_t *entry = sector + TABLE + i * ENTRY;

        if (entry[TYPE] == HLEOS_FS_PARTITION)
            return mount(disk, get_u32(entry + FIRST), get_u32(entry + COUNT));
    }
    return mount(disk, 0, disk->sectors);
}

static intptr_t __attribute__((noreturn)) write_out(void *argument)
{
    bool told = false;

    (void)argument;
    for (;;) {
        int error;

        thread_sleep_ms(PERIOD_MS);
        error = fs_sync(mounted);
        if (error < 0 && !told)
            println("fs: %s: nothing is written any more", fs_error_text(error));
        told = error < 0;
    }
}

void system_mount(void)
{
    struct thread *thread;
    struct disk *disk;

    for (unsigned i = 0; mounted == NULL && (disk = disk_get(i)) != NULL; i++)
        (void)try_disk(disk);
    if (mounted == NULL) {
        println("fs: none");
        return;
    }
    thread = thread_create("fs write", THREAD_PRIORITY_NORMAL, write_out, NULL);
    if (thread == NULL)
        println("fs: no memory for the thread that writes: only fsync writes now");
    else
        thread_detach(thread);
}

void system_sync(void)
{
    int error = mounted != NULL ? fs_sync(mounted) : 0;

    if (error < 0)
        println("fs: %s", fs_error_text(error));
}
