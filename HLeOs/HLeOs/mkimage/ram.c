/* A disk in memory; see ram.h. */
#include "ram.h"

#include <string.h>

static int ram_read(struct disk *disk, uint64_t sector, unsigned count, void *bytes)
{
    const struct ram *ram = (const struct ram *)disk;

    if (sector > disk->sectors || count > disk->sectors - sector)
        return DISK_RANGE;
    memcpy(bytes, ram->bytes + sector * DISK_SECTOR, (size_t)count * DISK_SECTOR);
    return 0;
}

static int ram_write(struct disk *disk, uint64_t sector, unsigned count, const void *bytes)
{
    struct ram *ram = (struct ram *)disk;

    if (sector > disk->sectors || count > disk->sectors - sector)
        return DISK_RANGE;
    memcpy(ram->bytes + sector * DISK_SECTOR, bytes, (size_t)count * DISK_SECTOR);
    return 0;
}

static int ram_flush(struct disk *disk)
{
    (void)disk;
    return 0;
}

void ram_init(struct ram *ram, void *bytes, size_t size)
{
    static const struct disk_ops ops = {ram_read, ram_write, ram_flush};

    *ram = (struct ram){
        .disk = {.ops = &ops, .sectors = size / DISK_SECTOR, .name = "image"},
        .bytes = bytes,
    };
}
