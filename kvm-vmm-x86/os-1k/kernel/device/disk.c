/*
 * A disk: a virtio block device over MMIO (virtio 1.2, 4.2 and 5.2). It makes one request at a time
 * and polls for its end: the kernel has nothing else to do.
 *
 * The loader gives the addresses of devices on the command line, as for Linux:
 * virtio_mmio.device=SIZE@ADDRESS:INTERRUPT. Without such a word, no address is touched.
 */
#include "kernel/device/disk.h"

#include "abi/virtio.h"
#include "abi/virtio_blk.h"
#include "common/string.h"
#include "common/x86.h"
#include "kernel/cpu/cpu.h"
#include "kernel/device/device.h"
#include "kernel/memory/memory.h"

#define WORD "virtio_mmio.device="

enum {
    MAGIC = 0x74726976,       /* "virt" */
    REGISTERS = 0x200,        /* bytes of a device, aligned to this size */
    PARTS = 4,                /* of a request: header, data, status */
    SECTORS_MAX = 0x7fffffff, /* numbers of sectors do not overflow */
    USED = 0x100              /* offset of the used ring in the queue's page */
};

/* The limit for an answer, in processor cycles: minutes. A poll that took longer than LOOK counts
 * as LOOK, because the host did not run the machine then. */
#define PATIENCE (UINT64_C(1) << 40)
#define LOOK     (UINT64_C(1) << 28)

static struct {
    uint32_t address[DISK_CANDIDATES]; /* of devices, physical */
    unsigned candidates;
    volatile uint32_t *registers; /* NULL: there is no disk */
    volatile uint16_t *available, *used;
    struct virtio_descriptor *parts;
    uint32_t sectors;
    bool read_only, can_flush;
} disk;

/* 0 if it is beyond 4 GB: there is no device at 0. */
static uint32_t hexadecimal(const char *digits)
{
    uint64_t value = 0;

    for (char c; (c = *digits) != '\0' && value <= UINT32_MAX; digits++) {
        if (c >= '0' && c <= '9')
            value = value * 16 + (uint64_t)(c - '0');
        else if (c >= 'a' && c <= 'f')
            value = value * 16 + (uint64_t)(c - 'a' + 10);
        else
            break;
    }
    return value <= UINT32_MAX ? (uint32_t)value : 0;
}

void disk_note(const char *command_line)
{
    const char *blank, *address;
    uint32_t physical;

    for (const char *at = command_line; at != NULL && disk.candidates < DISK_CANDIDATES;
         at = blank != NULL ? blank + 1 : NULL) {
        blank = strchr(at, ' ');
        address = strncmp(at, WORD, sizeof WORD - 1) == 0 ? strchr(at, '@') : NULL;
        if (address == NULL || (blank != NULL && address > blank) ||
            strncmp(address, "@0x", 3) != 0)
            continue;
        physical = hexadecimal(address + 3);
        if (physical > 0 && physical % REGISTERS == 0)
            disk.address[disk.candidates++] = physical;
    }
}

static uint32_t get(uint32_t at)
{
    return disk.registers[at / 4];
}

static void set(uint32_t at, uint32_t value)
{
    disk.registers[at / 4] = value;
}

static void set_address(uint32_t at, uint32_t physical)
{
    set(at, physical);
    set(at + 4, 0);
}

static uint32_t choose_features(void)
{
    uint32_t offered, wanted = VIRTIO_BLK_F_RO | VIRTIO_BLK_F_FLUSH;

    set(VIRTIO_MMIO_DEVICE_FEATURES_SEL, 0);
    offered = get(VIRTIO_MMIO_DEVICE_FEATURES) & wanted;
    set(VIRTIO_MMIO_DRIVER_FEATURES_SEL, 0);
    set(VIRTIO_MMIO_DRIVER_FEATURES, offered);
    set(VIRTIO_MMIO_DRIVER_FEATURES_SEL, 1);
    set(VIRTIO_MMIO_DRIVER_FEATURES, VIRTIO_F_VERSION_1 >> 32);
    return offered;
}

/* The driver's steps of 3.1.1. */
static void start(char *page)
{
    enum { KNOWN = VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER };
    uint32_t features, status = KNOWN | VIRTIO_STATUS_FEATURES_OK;

    set(VIRTIO_MMIO_STATUS, 0);
    set(VIRTIO_MMIO_STATUS, KNOWN);
    features = choose_features();
    set(VIRTIO_MMIO_STATUS, status);
    if (get(VIRTIO_MMIO_STATUS) != status)
        fault_panic("the disk does not take the features that it offers");
    disk.parts = (struct virtio_descriptor *)page;
    disk.available = (uint16_t *)(page + PARTS * sizeof *disk.parts);
    disk.used = (uint16_t *)(page + USED);
    disk.available[VIRTIO_RING_FLAGS / 2] = VIRTIO_RING_NO_EVENT; /* no interrupts */
    set(VIRTIO_MMIO_QUEUE_SEL, 0);
    set(VIRTIO_MMIO_QUEUE_NUM, PARTS);
    set_address(VIRTIO_MMIO_QUEUE_DESC, kernel_physical(disk.parts));
    set_address(VIRTIO_MMIO_QUEUE_DRIVER, kernel_physical((const void *)disk.available));
    set_address(VIRTIO_MMIO_QUEUE_DEVICE, kernel_physical((const void *)disk.used));
    set(VIRTIO_MMIO_QUEUE_READY, 1);
    set(VIRTIO_MMIO_STATUS, status | VIRTIO_STATUS_DRIVER_OK);
    disk.read_only = (features & VIRTIO_BLK_F_RO) != 0;
    disk.can_flush = (features & VIRTIO_BLK_F_FLUSH) != 0;
    disk.sectors = get(VIRTIO_MMIO_CONFIG);
    if (get(VIRTIO_MMIO_CONFIG + 4) != 0 || disk.sectors > SECTORS_MAX)
        disk.sectors = SECTORS_MAX;
}

void disk_init(void)
{
    char *page;

    for (unsigned i = 0; i < disk.candidates; i++) {
        disk.registers = space_map_device(disk.address[i]);
        if (get(VIRTIO_MMIO_MAGIC) != MAGIC || get(VIRTIO_MMIO_VERSION) != 2 ||
            get(VIRTIO_MMIO_DEVICE_ID) != VIRTIO_ID_BLOCK)
            continue;
        page = page_alloc(1);
        if (page == NULL)
            fault_panic("no memory for the disk's queue");
        start(page);
        return;
    }
    disk.registers = NULL;
}

/* Waits until the device changes its used index from `before`. */
static bool wait_for_answer(uint16_t before)
{
    uint64_t waited = 0, last = x86_rdtsc(), now;

    for (; disk.used[VIRTIO_RING_INDEX / 2] == before; last = now) {
        if (waited > PATIENCE)
            return false;
        __asm__ volatile("pause" : : : "memory");
        now = x86_rdtsc();
        waited += now - last < LOOK ? now - last : LOOK;
    }
    return true;
}

/* Resets the device, so that it drops its request's memory, and does not use it any more. */
static void give_up(void)
{
    console_print("the disk does not answer: it is not used any more\n");
    set(VIRTIO_MMIO_STATUS, 0);
    disk.sectors = 0;
}

/* True: the device says that it is done. */
static bool ask(enum virtio_blk_type type, uint32_t sector, const void *data, uint32_t size)
{
    static struct virtio_blk_header header;
    static volatile uint8_t status;
    bool in = type == VIRTIO_BLK_IN;
    unsigned last = size > 0 ? 2 : 1;
    uint16_t before = disk.used[VIRTIO_RING_INDEX / 2];

    header = (struct virtio_blk_header){.type = type, .sector = sector};
    status = VIRTIO_BLK_IOERR;
    disk.parts[0] =
        (struct virtio_descriptor){kernel_physical(&header), sizeof header, VIRTIO_DESC_NEXT, 1};
    disk.parts[1] =
        (struct virtio_descriptor){kernel_physical(data), size,
                                   (uint16_t)(VIRTIO_DESC_NEXT | (in ? VIRTIO_DESC_WRITE : 0)), 2};
    disk.parts[last] =
        (struct virtio_descriptor){kernel_physical((const void *)&status), 1, VIRTIO_DESC_WRITE, 0};
    disk.available[VIRTIO_RING_ENTRIES / 2 + before % PARTS] = 0;
    __asm__ volatile("" : : : "memory"); /* x86 keeps the order of writes; the compiler must too */
    disk.available[VIRTIO_RING_INDEX / 2] = (uint16_t)(before + 1);
    set(VIRTIO_MMIO_QUEUE_NOTIFY, 0);
    if (!wait_for_answer(before)) {
        give_up();
        return false;
    }
    return status == VIRTIO_BLK_OK;
}

uint32_t disk_sectors(void)
{
    return disk.registers != NULL ? disk.sectors : 0;
}

bool disk_can_write(void)
{
    return disk.registers != NULL && !disk.read_only;
}

bool disk_read(uint32_t sector, void *to, uint32_t count)
{
    return count <= disk.sectors && sector <= disk.sectors - count &&
           ask(VIRTIO_BLK_IN, sector, to, count * DISK_SECTOR);
}

bool disk_write(uint32_t sector, const void *from, uint32_t count)
{
    return count <= disk.sectors && sector <= disk.sectors - count &&
           ask(VIRTIO_BLK_OUT, sector, from, count * DISK_SECTOR);
}

bool disk_flush(void)
{
    return disk.sectors > 0 && (!disk.can_flush || ask(VIRTIO_BLK_FLUSH, 0, NULL, 0));
}
