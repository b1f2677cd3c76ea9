/* Drives virtio block devices (virtio 1.2, 5.2), one request at a time. */
#include "host/disk.h"

#include "abi/virtio.h"
#include "common/string.h"
#include "cpu/hyp.h"
#include "host/machine.h"
#include "host/vdev.h"

enum { TYPE_IN = 0, TYPE_OUT = 1, CAPACITY = 0x100, PATIENCE_S = 10 };

/* Memory that the device accesses by DMA: its queue, and a request's header, status and data. */
struct shared {
    struct vdev_ring ring;
    struct {
        uint32_t type, reserved;
        uint64_t sector;
    } header;
    uint8_t status;
    uint8_t data[DISK_SECTORS * DISK_SECTOR] __attribute__((aligned(4096)));
};
_Static_assert(sizeof(struct shared) <= PAGE_4K << DISK_ORDER, "fits the pages it is given");

struct unit {
    struct vdev dev;
    struct shared *shared;
    bool open; /* an atomic */
    bool dead, busy;
    uint64_t limit; /* host time at which a request times out */
};

static struct unit units[MACHINE_VIRTIO_MAX]; /* each used by the one that opened it: a VM under its
                                                 lock, or vm/store.c */

static bool start(struct unit *u)
{
    uint64_t features = 0;

    if (!vdev_begin(&u->dev, &features))
        return false;
    memset(u->shared, 0, offsetof(struct shared, data));
    vdev_set_queue(&u->dev, 0, &u->shared->ring);
    vdev_go(&u->dev);
    return true;
}

int disk_open(unsigned number, void *pages)
{
    struct vdev dev;
    int slot = vdev_find(VIRTIO_ID_BLOCK, number, &dev);
    struct unit *u = &units[slot >= 0 ? slot : 0];

    if (slot < 0 || __atomic_load_n(&u->open, __ATOMIC_ACQUIRE)) /* pairs with disk_close() */
        return -1;
    *u = (struct unit){.dev = dev, .shared = pages};
    u->open = start(u);
    return u->open ? slot : -1;
}

void *disk_close(int disk)
{
    struct unit *u = &units[disk];
    struct shared *shared = u->shared;
    bool dead = !vdev_reset(&u->dev); /* its pages stay reserved while it may write to them */

    u->busy = false;
    u->dead = dead;
    __atomic_store_n(&u->open, dead, __ATOMIC_RELEASE); /* from here on another may open it */
    return dead ? NULL : shared;
}

uint64_t disk_capacity(int disk)
{
    const struct unit *u = &units[disk];

    return *vdev_reg(&u->dev, CAPACITY) | (uint64_t)*vdev_reg(&u->dev, CAPACITY + 4) << 32;
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
    s->ring.descriptors[0] = (struct vdev_descriptor){(hpa_t)&s->header, 16, VDEV_NEXT, 1};
    s->ring.descriptors[1] = (struct vdev_descriptor){
        (hpa_t)s->data, count * DISK_SECTOR, (uint16_t)(VDEV_NEXT | (write ? 0 : VDEV_WRITE)), 2};
    s->ring.descriptors[2] = (struct vdev_descriptor){(hpa_t)&s->status, 1, VDEV_WRITE, 0};
    vdev_offer(&s->ring, 0);
    u->busy = true;
    u->limit = hyp_time() + PATIENCE_S * machine.timebase;
    vdev_notify(&u->dev, 0);
    return DISK_OK;
}

int disk_state(int disk)
{
    struct unit *u = &units[disk];

    if (u->dead || !u->busy)
        return DISK_ERROR;
    if (vdev_used(&u->shared->ring) == u->shared->ring.available_index) {
        vdev_acknowledge(&u->dev);
        u->busy = false;
        return *(volatile uint8_t *)&u->shared->status == 0 ? DISK_OK : DISK_ERROR;
    }
    if (hyp_time() <= u->limit)
        return DISK_BUSY;
    u->busy = false;
    u->dead = !start(u);
    return DISK_ERROR;
}
