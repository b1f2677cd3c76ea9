/*
 * virtio block devices: VIRTIO 1.2, 5.2 and 2.7 (split virtqueues). One request at a time, always
 * in the first three descriptors: header, data, status. The data passes through a page of the
 * driver's own, so that a caller's buffer may lie anywhere, and a device that answers too late
 * writes into nobody's memory: it is reset before the page is used again.
 */
#include "disk/virtio.h"

#include "abi/virtio.h"
#include "common/fmt.h"
#include "common/string.h"
#include "disk/disk.h"
#include "disk/virtio_pci.h"
#include "disk/wait.h"
#include "interrupt.h"
#include "iostream.h"
#include "memory/page.h"

enum { VIRTIO_VENDOR = 0x1af4, VIRTIO_BLOCK_OLD = 0x1001, VIRTIO_BLOCK = 0x1042 };
enum { DEVICES_MAX = 4, QUEUE = 4, REQUEST_MS = 5000, FLUSH_MS = 30000, LINES = 16 };

#define BLOCK_READ_ONLY (UINT64_C(1) << 5)
#define BLOCK_FLUSH     (UINT64_C(1) << 9)
enum block_type { BLOCK_IN = 0, BLOCK_OUT = 1, BLOCK_FLUSH_TYPE = 4 };
enum { BLOCK_OK = 0, BLOCK_UNKNOWN = 0xff, BLOCK_CAPACITY = 0 };

/* What driver and device share: one page. */
struct shared {
    struct virtio_descriptor descriptors[QUEUE];
    struct {
        uint16_t flags, index, ring[QUEUE], event;
    } available;
    struct {
        uint32_t type, reserved;
        uint64_t sector;
    } header __attribute__((aligned(16)));
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
    struct virtio_pci registers;
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

/* From the beginning: reset, features, an empty queue. */
static int start(struct device *device)
{
    struct shared *s = device->shared;

    memset(s, 0, sizeof *s);
    if (virtio_pci_reset(&device->registers) < 0 ||
        virtio_pci_negotiate(&device->registers, VIRTIO_F_VERSION_1 | BLOCK_READ_ONLY | BLOCK_FLUSH,
                             VIRTIO_F_VERSION_1, &device->features) < 0 ||
        virtio_pci_queue(&device->registers, QUEUE, within(device, s->descriptors),
                         within(device, &s->available), within(device, &s->used)) < 0)
        return -1;
    virtio_pci_start(&device->registers);
    return 0;
}

static void interrupt(void *context)
{
    const unsigned *line = context;

    for (unsigned i = 0; i < count; i++)
        if (devices[i].registers.line == *line && virtio_pci_interrupted(&devices[i].registers) &&
            __atomic_load_n(&devices[i].shared->used.index, __ATOMIC_ACQUIRE) ==
                devices[i].shared->available.index)
            wait_finish(&devices[i].wait);
}

/* Header, data if there are any, status: a chain that begins at descriptor 0. */
static void lay_out(struct device *device, unsigned bytes, bool to_device)
{
    struct shared *s = device->shared;
    uint16_t status = bytes > 0 ? 2 : 1;

    s->status = BLOCK_UNKNOWN;
    s->descriptors[0] = (struct virtio_descriptor){within(device, &s->header).at, sizeof s->header,
                                                   VIRTIO_DESC_NEXT, 1};
    if (bytes > 0)
        s->descriptors[1] = (struct virtio_descriptor){
            device->data_page.at, bytes, VIRTIO_DESC_NEXT | (to_device ? 0 : VIRTIO_DESC_WRITE), 2};
    s->descriptors[status] =
        (struct virtio_descriptor){within(device, &s->status).at, 1, VIRTIO_DESC_WRITE, 0};
}

/* The index is written after all else: the device may look at it at any time. */
static int submit(struct device *device, enum block_type type, uint64_t sector, unsigned bytes)
{
    struct shared *s = device->shared;
    int error;

    s->header.type = type;
    s->header.sector = sector;
    lay_out(device, bytes, type == BLOCK_OUT);
    s->available.ring[s->available.index % QUEUE] = 0;
    wait_arm(&device->wait, type == BLOCK_FLUSH_TYPE ? FLUSH_MS : REQUEST_MS);
    __atomic_store_n(&s->available.index, s->available.index + 1, __ATOMIC_RELEASE);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    *device->registers.kick = 0;
    error = wait_sleep(&device->wait);
    if (error == 0 && *(volatile uint8_t *)&s->status != BLOCK_OK)
        error = DISK_FAILED;
    return error;
}

/* Once more after a reset, if it was not answered; but a flush is not, as in ata.c. */
static int request(struct device *device, enum block_type type, uint64_t sector, unsigned bytes)
{
    int error = DISK_TIMEOUT;

    for (int tries = type == BLOCK_FLUSH_TYPE ? 1 : 2; tries > 0 && error == DISK_TIMEOUT;
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
    error = request(device, BLOCK_IN, sector, sectors * DISK_SECTOR);
    if (error == 0)
        memcpy(bytes, device->data, sectors * DISK_SECTOR);
    sync_mutex_give(&device->mutex);
    return error;
}

static int virtio_write(struct disk *disk, uint64_t sector, unsigned sectors, const void *bytes)
{
    struct device *device = (struct device *)disk;
    int error = DISK_FAILED;

    if (device->features & BLOCK_READ_ONLY)
        return error;
    sync_mutex_take(&device->mutex);
    memcpy(device->data, bytes, sectors * DISK_SECTOR);
    error = request(device, BLOCK_OUT, sector, sectors * DISK_SECTOR);
    sync_mutex_give(&device->mutex);
    return error;
}

/* A device without that feature has no cache that could lose something. */
static int virtio_flush(struct disk *disk)
{
    struct device *device = (struct device *)disk;
    int error;

    if (!(device->features & BLOCK_FLUSH))
        return 0;
    sync_mutex_take(&device->mutex);
    error = request(device, BLOCK_FLUSH_TYPE, 0, 0);
    sync_mutex_give(&device->mutex);
    return error;
}

static void attach(unsigned line)
{
    static unsigned lines[LINES]; /* what each handler is told; 0: not attached */

    if (lines[line] == line)
        return;
    lines[line] = line;
    interrupt_attach_line(line, "virtio", interrupt, &lines[line]);
}

/* A device that does not start keeps its pages: who knows what it still writes. */
static const char *set_up(struct device *device, const struct pci_function *function)
{
    static const struct disk_ops ops = {virtio_read, virtio_write, virtio_flush};
    const char *why = virtio_pci_open(&device->registers, function);

    if (why != NULL)
        return why;
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
    device->disk.sectors = virtio_pci_config64(&device->registers, BLOCK_CAPACITY);
    fmt_snprint(device->disk.name, sizeof device->disk.name, "vd%u", count);
    string_copy(device->disk.model, "virtio block device", sizeof device->disk.model);
    return NULL;
}

static void found(void *context, const struct pci_function *f)
{
    void (*add)(struct disk * disk) = *(void (**)(struct disk *))context;
    struct device *device = &devices[count];
    const char *why;

    if (f->vendor != VIRTIO_VENDOR || (f->id != VIRTIO_BLOCK_OLD && f->id != VIRTIO_BLOCK) ||
        count == DEVICES_MAX)
        return;
    why = set_up(device, f);
    if (why != NULL) {
        println("disk: virtio at %02x:%02x.%u: %s", f->bus, f->device, f->function, why);
        return;
    }
    count++;
    attach(device->registers.line);
    add(&device->disk);
}

void virtio_init(void (*add)(struct disk *disk))
{
    (void)pci_scan(found, (void *)&add);
}
