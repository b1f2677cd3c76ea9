/*
 * virtio block devices: VIRTIO 1.2, 5.2 and 2.7 (split virtqueues). One request at a time, always
 * in the first three descriptors: header, data, status. The data passes through a page of the
 * driver's own, so that a caller's buffer may lie anywhere, and a device that answers too late
 * overwrites nothing: it is reset before the page is used again.
 */
#include "disk/virtio.h"

#include <stddef.h>

#include "abi/virtio.h"
#include "abi/virtio_blk.h"
#include "common/fmt.h"
#include "common/string.h"
#include "disk/disk.h"
#include "disk/virtio_mmio.h"
#include "disk/virtio_pci.h"
#include "disk/wait.h"
#include "interrupt.h"
#include "iostream.h"
#include "memory/page.h"
#include "thread.h"

enum { VIRTIO_VENDOR = 0x1af4, VIRTIO_BLOCK_OLD = 0x1001, VIRTIO_BLOCK = 0x1042 };
enum { DEVICES_MAX = 4, QUEUE = 4, REQUEST_MS = 5000, FLUSH_MS = 30000, RESET_MS = 1000 };

enum { STATUS_NONE = 0xff /* the device has not written it yet */ };

/* What driver and device share: one page. */
struct shared {
    struct virtio_descriptor descriptors[QUEUE];
    struct {
        uint16_t flags, index, ring[QUEUE], event;
    } available;
    struct virtio_blk_header header __attribute__((aligned(16)));
    uint8_t status;
    struct {
        uint16_t flags, index;
        struct virtio_used ring[QUEUE];
        uint16_t event;
    } used __attribute__((aligned(16)));
};

_Static_assert(sizeof(struct shared) <= PAGE_SIZE, "one page");
_Static_assert(DISK_TRANSFER_MAX *DISK_SECTOR <= PAGE_SIZE, "the data is one page");

struct device {
    struct disk disk;
    struct virtio_bus bus;
    struct wait wait;
    struct sync_mutex mutex; /* one request at a time */
    uint64_t features;
    bool broken; /* mutex: it could not be reset */
    phys_t shared_page, data_page;
    struct shared *shared; /* mutex */
    void *data;            /* mutex */
};

static struct device devices[DEVICES_MAX];
static unsigned count;

static phys_t within(const struct device *device, const volatile void *what)
{
    return PHYS(device->shared_page.at +
                (uint64_t)((const volatile char *)what - (const volatile char *)device->shared));
}

/* Resets the device, and waits until that is done. */
static int reset(const struct virtio_bus *bus)
{
    bus->ops->set_status(bus, 0);
    for (int ms = 0; bus->ops->status(bus) != 0; ms++) {
        if (ms == RESET_MS)
            return -1;
        thread_sleep_ms(1);
    }
    return 0;
}

/* Accepts the features that the driver wants and the device offers. */
static int negotiate(const struct virtio_bus *bus, uint64_t *features)
{
    uint8_t status = VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER;

    bus->ops->set_status(bus, status);
    *features = bus->ops->features(bus, 0) | (uint64_t)bus->ops->features(bus, 1) << 32;
    *features &= VIRTIO_F_VERSION_1 | VIRTIO_BLK_F_RO | VIRTIO_BLK_F_FLUSH;
    if (!(*features & VIRTIO_F_VERSION_1))
        return -1;
    bus->ops->set_features(bus, 0, (uint32_t)*features);
    bus->ops->set_features(bus, 1, (uint32_t)(*features >> 32));
    bus->ops->set_status(bus, status | VIRTIO_STATUS_FEATURES_OK);
    return bus->ops->status(bus) & VIRTIO_STATUS_FEATURES_OK ? 0 : -1;
}

/* Starts the device: reset, features, an empty queue. */
static int start(struct device *device)
{
    struct virtio_bus *bus = &device->bus;
    struct shared *s = device->shared;

    memset(s, 0, sizeof *s);
    if (reset(bus) < 0 || negotiate(bus, &device->features) < 0 ||
        bus->ops->queue(bus, QUEUE, within(device, s->descriptors), within(device, &s->available),
                        within(device, &s->used)) < 0)
        return -1;
    bus->ops->set_status(bus, bus->ops->status(bus) | VIRTIO_STATUS_DRIVER_OK);
    return 0;
}

/* The indexes are equal also before a request is submitted, and an interrupt for something else,
 * such as a change of the configuration, may come after wait_arm(). Then the status is still
 * STATUS_NONE: lay_out() sets it before wait_arm(), which takes the lock under which this is
 * called. */
static bool answered(const void *shared)
{
    const struct shared *s = shared;

    return __atomic_load_n(&s->used.index, __ATOMIC_ACQUIRE) == s->available.index &&
           *(const volatile uint8_t *)&s->status != STATUS_NONE;
}

static void interrupt(void *context)
{
    const unsigned *line = context;

    for (unsigned i = 0; i < count; i++)
        if (devices[i].bus.line == *line && devices[i].bus.ops->interrupted(&devices[i].bus))
            wait_finish_if(&devices[i].wait, answered, devices[i].shared);
}

/* Makes the chain, from descriptor 0 on: header, data if there are any, status. */
static void lay_out(struct device *device, unsigned bytes, bool to_device)
{
    struct shared *s = device->shared;
    uint16_t status = bytes > 0 ? 2 : 1;

    s->status = STATUS_NONE;
    s->descriptors[0] = (struct virtio_descriptor){within(device, &s->header).at, sizeof s->header,
                                                   VIRTIO_DESC_NEXT, 1};
    if (bytes > 0)
        s->descriptors[1] = (struct virtio_descriptor){
            device->data_page.at, bytes, VIRTIO_DESC_NEXT | (to_device ? 0 : VIRTIO_DESC_WRITE), 2};
    s->descriptors[status] =
        (struct virtio_descriptor){within(device, &s->status).at, 1, VIRTIO_DESC_WRITE, 0};
}

/* Writes the index last: the device may read it at any time. */
static int submit(struct device *device, enum virtio_blk_type type, uint64_t sector, unsigned bytes)
{
    struct shared *s = device->shared;
    int error;

    s->header.type = type;
    s->header.sector = sector;
    lay_out(device, bytes, type == VIRTIO_BLK_OUT);
    s->available.ring[s->available.index % QUEUE] = 0;
    wait_arm(&device->wait, type == VIRTIO_BLK_FLUSH ? FLUSH_MS : REQUEST_MS);
    __atomic_store_n(&s->available.index, s->available.index + 1, __ATOMIC_RELEASE);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    device->bus.ops->kick(&device->bus);
    error = wait_sleep(&device->wait);
    if (error == 0 && *(volatile uint8_t *)&s->status != VIRTIO_BLK_OK)
        error = DISK_FAILED;
    return error;
}

/* Retries a request without an answer once, after a reset. A flush is not retried, as in ata.c. */
static int request(struct device *device, enum virtio_blk_type type, uint64_t sector,
                   unsigned bytes)
{
    int error = DISK_TIMEOUT;

    for (int tries = type == VIRTIO_BLK_FLUSH ? 1 : 2; tries > 0 && error == DISK_TIMEOUT;
         tries--) {
        if (device->broken)
            return DISK_FAILED;
        error = submit(device, type, sector, bytes);
        if (error == DISK_TIMEOUT) {
            println("disk: %s: no answer, reset", device->disk.name);
            device->broken = start(device) < 0;
        }
    }
    return error;
}

static int virtio_read(struct disk *disk, uint64_t sector, unsigned sectors, void *bytes)
{
    struct device *device = (struct device *)disk;
    int error;

    sync_mutex_take(&device->mutex);
    error = request(device, VIRTIO_BLK_IN, sector, sectors * DISK_SECTOR);
    if (error == 0)
        memcpy(bytes, device->data, sectors * DISK_SECTOR);
    sync_mutex_give(&device->mutex);
    return error;
}

static int virtio_write(struct disk *disk, uint64_t sector, unsigned sectors, const void *bytes)
{
    struct device *device = (struct device *)disk;
    int error = DISK_FAILED;

    if (device->features & VIRTIO_BLK_F_RO)
        return error;
    sync_mutex_take(&device->mutex);
    memcpy(device->data, bytes, sectors * DISK_SECTOR);
    error = request(device, VIRTIO_BLK_OUT, sector, sectors * DISK_SECTOR);
    sync_mutex_give(&device->mutex);
    return error;
}

/* A device without that feature has no cache that could lose data. */
static int virtio_flush(struct disk *disk)
{
    struct device *device = (struct device *)disk;
    int error;

    if (!(device->features & VIRTIO_BLK_F_FLUSH))
        return 0;
    sync_mutex_take(&device->mutex);
    error = request(device, VIRTIO_BLK_FLUSH, 0, 0);
    sync_mutex_give(&device->mutex);
    return error;
}

static void attach(unsigned line)
{
    static unsigned lines[INTERRUPT_IRQS]; /* each handler's context; 0: not attached */

    if (lines[line] == line)
        return;
    lines[line] = line;
    interrupt_attach_line(line, "virtio", interrupt, &lines[line]);
}

/* The pages of a device that does not start are not freed: it may still write to them. */
static const char *set_up(struct device *device)
{
    static const struct disk_ops ops = {virtio_read, virtio_write, virtio_flush};

    device->shared_page = page_allocate_zeroed();
    device->data_page = page_allocate();
    if (device->shared_page.at == 0 || device->data_page.at == 0)
        return "no memory";
    device->shared = page_virtual(device->shared_page);
    device->data = page_virtual(device->data_page);
    device->wait = (struct wait)WAIT_INIT;
    if (!wait_add(&device->wait) || start(device) < 0)
        return "it cannot be started";
    device->disk.ops = &ops;
    device->disk.sectors =
        device->bus.ops->config64(&device->bus, offsetof(struct virtio_blk_config, capacity));
    fmt_snprint(device->disk.name, sizeof device->disk.name, "vd%u", count);
    string_copy(device->disk.model, "virtio block device", sizeof device->disk.model);
    return NULL;
}

static void add_device(void *context, const struct virtio_bus *bus)
{
    void (*add)(struct disk * disk) = *(void (**)(struct disk *))context;
    struct device *device = &devices[count];
    const char *why;

    if (count == DEVICES_MAX)
        return;
    device->bus = *bus;
    why = set_up(device);
    if (why != NULL) {
        println("disk: virtio, line %u: %s", bus->line, why);
        return;
    }
    count++;
    attach(bus->line);
    add(&device->disk);
}

static void look_at(void *context, const struct pci_function *f)
{
    struct virtio_bus bus = {0};
    const char *why;

    if (f->vendor != VIRTIO_VENDOR || (f->id != VIRTIO_BLOCK_OLD && f->id != VIRTIO_BLOCK))
        return;
    why = virtio_pci_open(&bus, f);
    if (why != NULL)
        println("disk: virtio at %02x:%02x.%u: %s", f->bus, f->device, f->function, why);
    else
        add_device(context, &bus);
}

void virtio_init(void (*add)(struct disk *disk))
{
    (void)pci_scan(look_at, (void *)&add);
    virtio_mmio_scan(VIRTIO_ID_BLOCK, add_device, (void *)&add);
}
