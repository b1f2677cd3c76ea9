/* Disk reads through the BIOS: Phoenix EDD 3.0, and the geometry functions before it; see disk.h.
 */
#include "disk.h"

#include "bios.h"
#include "common/string.h"
#include "console.h"
#include "layout.h"

enum { TRIES = 3, TRANSFER_SECTORS = TRANSFER_MAX / SECTOR_SIZE, CYLINDERS_MAX = 1024 };

/* EDD 3.0, 3.3: device address packet. */
struct packet {
    uint8_t size, reserved;
    uint16_t count, offset, segment;
    uint64_t lba;
};

_Static_assert(sizeof(struct packet) == 16, "EDD 3.0, 3.3");

static bool has_edd(uint8_t drive)
{
    struct bios_registers r = {.eax = 0x4100, .ebx = 0x55aa, .edx = drive};

    bios_call(BIOS_DISK, &r);
    return !(r.eflags & BIOS_CARRY) && (r.ebx & 0xffff) == 0xaa55 && (r.ecx & 1);
}

void disk_open(struct disk *disk, uint8_t drive)
{
    struct bios_registers r = {.eax = 0x0800, .edx = drive};

    *disk = (struct disk){.drive = drive, .edd = has_edd(drive)};
    if (disk->edd)
        return;
    bios_call(BIOS_DISK, &r);
    disk->track = r.ecx & 0x3f;
    disk->heads = (r.edx >> 8 & 0xff) + 1;
    if ((r.eflags & BIOS_CARRY) || disk->track == 0)
        console_fail("E20", "the disk has neither EDD nor a geometry");
}

static void reset(const struct disk *disk)
{
    struct bios_registers r = {.eax = 0, .edx = disk->drive};

    bios_call(BIOS_DISK, &r);
}

static bool succeeded(struct disk *disk, const struct bios_registers *r)
{
    disk->error = (uint8_t)(r->eax >> 8);
    return (r->eflags & BIOS_CARRY) == 0;
}

static bool edd_read(struct disk *disk, uint32_t lba, uint32_t count)
{
    struct packet packet = {
        .size = sizeof packet, .count = (uint16_t)count, .segment = TRANSFER_AT >> 4, .lba = lba};
    struct bios_registers r = {.eax = 0x4200, .edx = disk->drive, .esi = (uint32_t)&packet};

    bios_call(BIOS_DISK, &r);
    return succeeded(disk, &r);
}

static bool geometry_read(struct disk *disk, uint32_t lba, uint32_t count)
{
    uint32_t sector = lba % disk->track + 1, head = lba / disk->track % disk->heads;
    uint32_t cylinder = lba / disk->track / disk->heads;
    struct bios_registers r = {.eax = 0x0200 | count,
                               .ecx = (cylinder & 0xff) << 8 | (cylinder >> 2 & 0xc0) | sector,
                               .edx = head << 8 | disk->drive,
                               .es = TRANSFER_AT >> 4};

    if (cylinder >= CYLINDERS_MAX)
        return false;
    bios_call(BIOS_DISK, &r);
    return succeeded(disk, &r);
}

static bool transfer(struct disk *disk, uint32_t lba, uint32_t count)
{
    for (int attempt = 0; attempt < TRIES; attempt++) {
        if (attempt > 0)
            reset(disk);
        if (disk->edd ? edd_read(disk, lba, count) : geometry_read(disk, lba, count))
            return true;
    }
    return false;
}

/* The most sectors for one transfer from `lba`: a transfer by geometry must stay on its track. */
static uint32_t reach(const struct disk *disk, uint32_t lba, uint32_t count)
{
    uint32_t most = disk->edd ? TRANSFER_SECTORS : disk->track - lba % disk->track;

    if (most > TRANSFER_SECTORS)
        most = TRANSFER_SECTORS;
    return count < most ? count : most;
}

uint32_t disk_read(struct disk *disk, uint32_t lba, uint32_t count, uint8_t *to)
{
    uint32_t done = 0;

    while (done < count) {
        uint32_t n = reach(disk, lba + done, count - done);

        if (!transfer(disk, lba + done, n)) {
            n = 1; /* find the bad sector */
            if (!transfer(disk, lba + done, n))
                break;
        }
        memcpy(to + done * SECTOR_SIZE, (const void *)TRANSFER_AT, n * SECTOR_SIZE);
        done += n;
    }
    return done;
}
