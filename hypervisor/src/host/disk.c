/* Drives virtio block devices over MMIO (virtio 1.2, 4.2 and 5.2), one request at a time: version
 * 2, and version 1 (4.2.4), which is what QEMU offers without -global
 * virtio-mmio.force-legacy=false.
 */
#include "host/disk.h"

#include "common/string.h"
#include "cpu/hyp.h"
#include "host/machine.h"

enum { MAGIC = 0x74726976, VIRTIO_BLK = 2, QUEUE = 8, FLAG_NEXT = 1, FLAG_WRITE = 2 };
enum { TYPE_IN = 0, TYPE_OUT = 1 };
enum { RESETS_POLLED = 100000, USED_ALIGN = 64 };
enum reg {
    R_MAGIC = 0x00,
    R_VERSION = 0x04,
    R_DEVICE = 0x08,
    R_DRIVER_FEATURES = 0x20,
    R_DRIVER_FEATURES_SEL = 0x24,
    R_PAGE_SIZE = 0x28, /* this and the next two: version 1 */
    R_QUEUE_ALIGN = 0x3c,
    R_QUEUE_PAGE = 0x40,
    R_QUEUE_SEL = 0x30,
    R_QUEUE_NUM = 0x38,
    R_QUEUE_READY = 0x44,
    R_NOTIFY = 0x50,
    R_INTERRUPT = 0x60,
    R_INTERRUPT_ACK = 0x64,
    R_STATUS = 0x70,
    R_DESCRIPTORS = 0x80,
    R_DRIVER = 0x90,
    R_DEVICE_RING = 0xa0,
    R_CAPACITY = 0x100
};
enum { S_ACKNOWLEDGE = 1, S_DRIVER = 2, S_DRIVER_OK = 4, S_FEATURES_OK = 8 }; /* 3.1.1 */

struct descriptor {
    uint64_t at;
    uint32_t size;
    uint16_t flags, next;
};

/* What the device reads and writes by itself: the queue's three parts, a request's header, status
 * and data. */
struct shared {
    struct descriptor descriptors[QUEUE];
    uint16_t available_flags, available_index, available[QUEUE], available_event;
    uint32_t used_header
        __attribute__((aligned(USED_ALIGN))); /* flags, and in the high half index */
    uint64_t used[QUEUE];
    struct {
        uint32_t type, reserved;
        uint64_t sector;
    } header;
    uint8_t status;
    uint8_t data[DISK_SECTORS * DISK_SECTOR] __attribute__((aligned(4096)));
};
_Static_assert(offsetof(struct shared, used_header) == 3 * USED_ALIGN, "as version 1 finds it");
_Static_assert(sizeof(struct shared) <= PAGE_4K << DISK_ORDER, "fits the pages it is given");

struct unit {
    uint64_t base;
    struct shared *shared;
    bool open, dead, busy;
    uint64_t limit; /* host time at which a request is given up */
};

static struct unit units[MACHINE_DISKS_MAX]; /* each used by one VM, under its lock */

static volatile uint32_t *reg(const struct unit *u, uint64_t offset)
{
    return (volatile uint32_t *)(u->base + offset);
}

static void set_address(const struct unit *u, uint64_t offset, const volatile void *at)
{
    *reg(u, offset) = (uint32_t)(uintptr_t)at;
    *reg(u, offset + 4) = (uint32_t)((uintptr_t)at >> 32);
}

/* After this the device touches no memory (virtio 1.2, 2.4). False: it does not say so. */
static bool reset(struct unit *u)
{
    *reg(u, R_STATUS) = 0;
    for (int i = 0; i < RESETS_POLLED; i++)
        if (*reg(u, R_STATUS) == 0)
            return true;
    return false;
}

/* Version 1: no features to agree on, and the whole queue begins at a page. */
static void start_old(const struct unit *u)
{
    *reg(u, R_PAGE_SIZE) = PAGE_4K;
    *reg(u, R_QUEUE_SEL) = 0;
    *reg(u, R_QUEUE_NUM) = QUEUE;
    *reg(u, R_QUEUE_ALIGN) = USED_ALIGN;
    *reg(u, R_QUEUE_PAGE) = (uint32_t)((hpa_t)u->shared->descriptors / PAGE_4K);
    *reg(u, R_STATUS) = S_ACKNOWLEDGE | S_DRIVER | S_DRIVER_OK;
}

static bool start(struct unit *u)
{
    if (!reset(u))
        return false;
    memset(u->shared, 0, offsetof(struct shared, data));
    *reg(u, R_STATUS) = S_ACKNOWLEDGE | S_DRIVER;
    *reg(u, R_DRIVER_FEATURES_SEL) = 0;
    *reg(u, R_DRIVER_FEATURES) = 0;
    if (*reg(u, R_VERSION) == 1) {
        start_old(u);
        return true;
    }
    *reg(u, R_DRIVER_FEATURES_SEL) = 1;
    *reg(u, R_DRIVER_FEATURES) = 1; /* version 1, nothing else */
    *reg(u, R_STATUS) = S_ACKNOWLEDGE | S_DRIVER | S_FEATURES_OK;
    if ((*reg(u, R_STATUS) & S_FEATURES_OK) == 0)
        return false;
    *reg(u, R_QUEUE_SEL) = 0;
    *reg(u, R_QUEUE_NUM) = QUEUE;
    set_address(u, R_DESCRIPTORS, u->shared->descriptors);
    set_address(u, R_DRIVER, &u->shared->available_flags);
    set_address(u, R_DEVICE_RING, &u->shared->used_header);
    *reg(u, R_QUEUE_READY) = 1;
    *reg(u, R_STATUS) = S_ACKNOWLEDGE | S_DRIVER | S_FEATURES_OK | S_DRIVER_OK;
    return true;
}

int disk_open(unsigned number, void *pages)
{
    for (unsigned i = 0; i < machine.disk_count; i++) {
        struct unit *u = &units[i];

        u->base = machine.disks[i].base;
        if (*reg(u, R_MAGIC) != MAGIC || *reg(u, R_VERSION) - 1 > 1 ||
            *reg(u, R_DEVICE) != VIRTIO_BLK)
            continue;
        if (number-- != 0)
            continue;
        if (u->open)
            return -1;
        u->shared = pages;
        u->open = start(u);
        return u->open ? (int)i : -1;
    }
    return -1;
}

void *disk_close(int disk)
{
    struct unit *u = &units[disk];

    u->busy = false;
    u->dead = !reset(u);
    u->open = u->dead; /* as long as it may write to its pages they are its own */
    return u->dead ? NULL : u->shared;
}

uint64_t disk_capacity(int disk)
{
    const struct unit *u = &units[disk];

    return *reg(u, R_CAPACITY) | (uint64_t)*reg(u, R_CAPACITY + 4) << 32;
}

void *disk_data(int disk)
{
    return units[disk].shared->data;
}

bool disk_is_idle(int disk)
{
    return !units[disk].busy || disk_state(disk) != DISK_BUSY;
}

int disk_begin(int disk, bool write, uint64_t sector, unsigned count)
{
    struct unit *u = &units[disk];
    struct shared *s = u->shared;

    if (u->dead || u->busy || count > DISK_SECTORS)
        return DISK_ERROR;
    s->header.type = write ? TYPE_OUT : TYPE_IN;
    s->header.sector = sector;
    s->status = 0xff;
    s->descriptors[0] = (struct descriptor){(hpa_t)&s->header, 16, FLAG_NEXT, 1};
    s->descriptors[1] = (struct descriptor){(hpa_t)s->data, count * DISK_SECTOR,
                                            FLAG_NEXT | (write ? 0 : FLAG_WRITE), 2};
    s->descriptors[2] = (struct descriptor){(hpa_t)&s->status, 1, FLAG_WRITE, 0};
    s->available[s->available_index % QUEUE] = 0;
    __atomic_thread_fence(__ATOMIC_RELEASE); /* the request before its index */
    s->available_index++;
    __atomic_thread_fence(__ATOMIC_SEQ_CST); /* the index before the notification */
    u->busy = true;
    u->limit = hyp_time() + machine.timebase;
    *reg(u, R_NOTIFY) = 0;
    return DISK_OK;
}

int disk_state(int disk)
{
    struct unit *u = &units[disk];
    uint32_t used;

    if (u->dead || !u->busy)
        return DISK_ERROR;
    used = *(volatile uint32_t *)&u->shared->used_header;
    if ((uint16_t)(used >> 16) == u->shared->available_index) {
        __atomic_thread_fence(__ATOMIC_ACQUIRE); /* the data before it was said to be there */
        *reg(u, R_INTERRUPT_ACK) = *reg(u, R_INTERRUPT);
        u->busy = false;
        return *(volatile uint8_t *)&u->shared->status == 0 ? DISK_OK : DISK_ERROR;
    }
    if (hyp_time() <= u->limit)
        return DISK_BUSY;
    u->busy = false;
    u->dead = !start(u);
    return DISK_ERROR;
}
