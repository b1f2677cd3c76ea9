/* Drives virtio block devices over MMIO version 2 (virtio 1.2, 4.2 and 5.2), one request at a time,
 * waited for by looking; a device that does not answer within a second is an error of the medium.
 * QEMU offers version 2 with -global virtio-mmio.force-legacy=false. */
#include "host/disk.h"

#include "common/string.h"
#include "cpu/hyp.h"
#include "host/machine.h"
#include "lib/lock.h"
#include "mem/page.h"

enum { QUEUE = 8, FLAG_NEXT = 1, FLAG_WRITE = 2 };
enum { TYPE_IN = 0, TYPE_OUT = 1 };

struct descriptor {
    uint64_t at;
    uint32_t size;
    uint16_t flags, next;
};

/* One page a device: the queue's three parts, the request's header and status, and its data, all of
 * which the device reads and writes by itself. */
struct shared {
    struct descriptor descriptors[QUEUE];
    uint16_t available_flags, available_index, available[QUEUE], available_event;
    uint16_t padding;
    uint32_t used_header; /* flags in the low half, index in the high */
    uint64_t used[QUEUE];
    struct {
        uint32_t type, reserved;
        uint64_t sector;
    } header;
    uint8_t status;
};

struct unit {
    uint64_t base;
    struct lock lock;
    struct shared *shared;
    bool taken, dead;
};

static struct unit units[MACHINE_DISKS_MAX];

static volatile uint32_t *reg(const struct unit *u, uint64_t offset)
{
    return (volatile uint32_t *)(u->base + offset);
}

static void set_address(const struct unit *u, uint64_t offset, const volatile void *at)
{
    *reg(u, offset) = (uint32_t)(uintptr_t)at;
    *reg(u, offset + 4) = (uint32_t)((uintptr_t)at >> 32);
}

/* Status bits: 1 acknowledge, 2 driver, 8 features, 4 go (virtio 1.2, 3.1.1). */
static bool start(struct unit *u)
{
    u->shared = page_alloc(ORDER_4K);
    if (u->shared == NULL)
        return false;
    *reg(u, 0x70) = 0;
    *reg(u, 0x70) = 3;
    *reg(u, 0x24) = 0;
    *reg(u, 0x20) = 0;
    *reg(u, 0x24) = 1;
    *reg(u, 0x20) = 1; /* version 1, nothing else */
    *reg(u, 0x70) = 11;
    if ((*reg(u, 0x70) & 8) == 0)
        return false;
    *reg(u, 0x30) = 0;
    *reg(u, 0x38) = QUEUE;
    set_address(u, 0x80, u->shared->descriptors);
    set_address(u, 0x90, &u->shared->available_flags);
    set_address(u, 0xa0, &u->shared->used_header);
    *reg(u, 0x44) = 1;
    *reg(u, 0x70) = 15;
    return true;
}

static bool wait(struct unit *u, uint16_t index)
{
    uint64_t limit = hyp_time() + machine.timebase;
    volatile uint32_t *used = &u->shared->used_header;

    while ((uint16_t)(*used >> 16) != index)
        if (hyp_time() > limit)
            return false;
    __atomic_thread_fence(__ATOMIC_ACQUIRE); /* the data before it was said to be there */
    *reg(u, 0x64) = *reg(u, 0x60);
    return true;
}

static bool request(struct disk *d, uint32_t type, uint64_t sector, void *data, uint64_t count)
{
    struct unit *u = &units[d->unit];
    struct shared *s = u->shared;
    bool good;

    lock_take(&u->lock);
    s->header.type = type;
    s->header.sector = sector;
    s->status = 0xff;
    s->descriptors[0] = (struct descriptor){(hpa_t)&s->header, 16, FLAG_NEXT, 1};
    s->descriptors[1] = (struct descriptor){(hpa_t)data, (uint32_t)(count * SECTOR_SIZE),
                                            FLAG_NEXT | (type == TYPE_IN ? FLAG_WRITE : 0), 2};
    s->descriptors[2] = (struct descriptor){(hpa_t)&s->status, 1, FLAG_WRITE, 0};
    s->available[s->available_index % QUEUE] = 0;
    __atomic_thread_fence(__ATOMIC_RELEASE); /* the request before its index */
    s->available_index++;
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    *reg(u, 0x50) = 0;
    u->dead = u->dead || !wait(u, s->available_index);
    good = !u->dead && *(volatile uint8_t *)&s->status == 0;
    lock_drop(&u->lock);
    return good;
}

static bool host_read(struct disk *d, uint64_t sector, void *to, uint64_t count)
{
    return request(d, TYPE_IN, sector, to, count);
}

static bool host_write(struct disk *d, uint64_t sector, const void *from, uint64_t count)
{
    return request(d, TYPE_OUT, sector, (void *)(uintptr_t)from, count);
}

bool disk_open_host(struct disk *d, unsigned number)
{
    for (unsigned i = 0; i < machine.disk_count; i++) {
        struct unit *u = &units[i];

        u->base = machine.disks[i].base;
        if (*reg(u, 0) != 0x74726976 || *reg(u, 4) != 2 || *reg(u, 8) != VIRTIO_BLK)
            continue;
        if (number-- != 0)
            continue;
        if (u->taken || !start(u))
            return false;
        u->taken = true;
        *d = (struct disk){.name = "host",
                           .read = host_read,
                           .write = host_write,
                           .unit = i,
                           .sectors = *reg(u, 0x100) | (uint64_t)*reg(u, 0x104) << 32};
        return true;
    }
    return false;
}
