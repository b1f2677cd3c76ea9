/*
 * libFuzzer: a hostile guest on a PCI bus with two virtio devices: a disk, whose requests may take
 * long, and random bytes. Each step has four bytes. It must never happen that a BAR is decoded
 * outside the windows, a message is sent while MSI-X is off, a wait has no reason, or a request is
 * lost.
 */
#include <stdlib.h>
#include <string.h>

#include "dev/virtio/blk.h"
#include "dev/virtio/pci.h"
#include "dev/virtio/rng.h"
#include "fake_backend.h"
#include "fake_disk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { RAM = 0x10000, DEVICES = 2, QUEUE_SIZE = 8, QUEUES_AT = 0x1000, HEADER_AT = 0x6000 };
enum { NOTIFY = 0x800, TABLE = 0x2000 };

static struct fake fake;
static struct fake_disk disk;
static struct blk blk;
static struct rng rng;
static struct reset reset;
static struct pci pci;
static struct virtio_pci functions[DEVICES];
static struct virtio_device *const devices[DEVICES] = {&blk.device, &rng.device};
static uint16_t offered;

static void check(void)
{
    for (unsigned i = 0; i < DEVICES; i++) {
        uint64_t at = functions[i].function.at, end = at + functions[i].function.bar_size;

        if (at != 0 && !(at >= PCI_WINDOW_BASE && end <= PCI_WINDOW_END) &&
            !(at >= pci.high.base && end <= pci.high.base + pci.high.size))
            abort();
    }
}

static void reach(const struct bus_ops *ops, uint64_t offset, uint8_t size, bool write,
                  uint64_t value)
{
    struct kvm_regs regs = {0};
    struct bus_cpu cpu = {.regs = &regs};
    struct bus_access access = {
        .offset = offset, .data = (uint8_t *)&value, .size = size, .write = write, .cpu = &cpu};

    if (size > ops->width)
        access.size = ops->width;
    if (ops->access(&pci, &access) == VERDICT_AGAIN && disk.count == 0)
        abort();
    check();
}

static void configure(unsigned device, unsigned reg, uint8_t size, bool write, uint64_t value)
{
    reach(&pci_memory_ops, (device + 1) << 15 | reg, size, write, value);
}

static void reach_bar(unsigned device, uint64_t offset, uint8_t size, bool write, uint64_t value)
{
    uint64_t at = functions[device].function.at;

    if (at >= pci.high.base && at != 0)
        reach(&pci_high_ops, at - pci.high.base + offset, size, write, value);
    else if (at != 0)
        reach(&pci_low_ops, at - pci.low.base + offset, size, write, value);
}

#define SET(member, value)                                                                         \
    reach_bar(device, offsetof(struct virtio_pci_common, member),                                  \
              sizeof((struct virtio_pci_common *)0)->member, true, value)

/* Initialises a device as a kernel does. */
static void start(unsigned device, uint8_t how)
{
    configure(device, PCI_COMMAND, 2, true, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    SET(status, 3);
    SET(driver_feature_select, 1);
    SET(driver_features, 1);
    SET(driver_feature_select, 0);
    SET(driver_features, (how & 3u) << 28);
    SET(status, 0xb);
    for (unsigned q = 0; q < devices[device]->kind->virtio.queues; q++) {
        SET(queue_select, q);
        SET(queue_size, how & 4 ? 0 : QUEUE_SIZE);
        SET(queue_vector, how >> 3 & 3);
        SET(descriptors, QUEUES_AT);
        SET(driver, QUEUES_AT + 0x800);
        SET(device, QUEUES_AT + 0xc00);
        SET(queue_enable, 1);
    }
    SET(status, 0xf);
    if (how & 0x20)
        configure(device, 0x42, 2, true, PCI_MSIX_ENABLE);
}

static void put(uint64_t at, const void *bytes, size_t size)
{
    if (!memory_write(&fake.memory, at, bytes, size))
        abort();
}

static void offer(unsigned device, uint8_t kind)
{
    const uint32_t header[4] = {kind & 15u, 0, kind >> 4, 0};
    const struct virtio_descriptor chain[] = {
        {HEADER_AT, 16, VIRTIO_DESC_NEXT, 1},
        {HEADER_AT + 512, 512, (uint16_t)(VIRTIO_DESC_NEXT | (kind & 1 ? 0 : VIRTIO_DESC_WRITE)),
         2},
        {HEADER_AT + 1024, 1, VIRTIO_DESC_WRITE, 0}};
    const uint16_t head = device == 0 ? 0 : 2;

    offered++;
    put(HEADER_AT, header, sizeof header);
    put(QUEUES_AT, chain, sizeof chain);
    put(QUEUES_AT + 0x804 + 2u * ((offered - 1u) % QUEUE_SIZE), &head, 2);
    put(QUEUES_AT + 0x802, &offered, 2);
    reach_bar(device, NOTIFY, 2, true, 0);
}

static void save_and_load(unsigned device, uint8_t damage, uint16_t at)
{
    static uint8_t saved[8192];
    struct chunk_writer writer = {.bytes = saved, .room = sizeof saved};
    struct chunk_reader reader;
    struct chunk chunk;
    struct error error;

    if (!virtio_device_ops.quiesce(devices[device]))
        return;
    virtio_device_ops.save(devices[device], "fuzz", &writer);
    saved[sizeof(struct chunk_header) + at % (writer.used - sizeof(struct chunk_header))] ^= damage;
    reader = (struct chunk_reader){.bytes = saved, .size = writer.used};
    if (chunk_next(&reader, &chunk, &error) != 1 ||
        (virtio_device_ops.load(devices[device], &chunk, &error) < 0 && damage == 0))
        abort();
}

static void step(uint8_t order, uint8_t a, uint16_t b)
{
    unsigned device = order >> 7, messages = fake.messages;
    bool off = true;

    for (unsigned i = 0; i < DEVICES; i++)
        off &= !(pci_get(&functions[i].function, 0x42, 2) & PCI_MSIX_ENABLE);
    switch (order & 15) {
    case 0:
        start(device, a);
        off = false;
        break;
    case 1:
    case 2:
        offer(device, a);
        break;
    case 3:
        (void)virtio_device_run(devices[device]);
        break;
    case 4:
        disk.slow = a & 1;
        disk.code = a & 2 ? -EIO : 0;
        break;
    case 5: /* configuration by ports, and anywhere in configuration memory */
        if (a & 1)
            reach(&pci_ports_ops, 0, 4, true, PCI_ADDRESS_ENABLE | (uint32_t)b << 2);
        reach(&pci_ports_ops, a >> 1 & 7, (uint8_t)(1u << (a >> 4 & 3)), order & 0x10, b);
        off = false;
        break;
    case 6:
        configure(device, b & 0xfff, (uint8_t)(1u << (a & 3)), order & 0x10, (uint64_t)a << 8 | b);
        off = false;
        break;
    case 7: /* command, BAR, MSI-X, the window, the function's reset */
        configure(device, PCI_COMMAND, 2, true, b);
        configure(device, PCI_BAR + (a & 4), 4, order & 0x10, (uint64_t)b << 16);
        break;
    case 8:
        configure(device, 0x40 + (a & 0x7f), (uint8_t)(1u << (a >> 7)), order & 0x10, b);
        off = false;
        break;
    case 9: /* anywhere, mostly in the first registers */
    case 10:
        reach_bar(device, b & (order & 1 ? 0x3fff : 0x3f), (uint8_t)(1u << (a & 3)), order & 0x10,
                  a);
        off = false;
        break;
    case 11:
        reach_bar(device, TABLE + (b & 0x3f), 4, order & 0x10, a);
        break;
    case 12:
        save_and_load(device, order & 0x10 ? a : 0, b);
        off = false;
        break;
    case 13:
        virtio_device_ops.resume(devices[device]);
        break;
    case 14:
        if (disk.count == 0)
            virtio_device_ops.reset(devices[device]);
        break;
    default:
        put(b % RAM, &a, 1);
        break;
    }
    if (off && fake.messages != messages)
        abort();
    check();
}

static void set_up(void)
{
    struct error error;

    memory_init(&fake.memory, 0, RAM, fake.memory.slots[0].host);
    if (blk.requests == NULL && blk_init(&blk, &fake.backend, 0, &disk.disk, &error) < 0)
        abort();
    rng_init(&rng, &fake.backend, 1);
    reset_init(&reset, &fake.backend);
    pci_init(&pci, &reset, RAM, 36);
    blk.device.complaints = 0;
    for (unsigned i = 0; i < DEVICES; i++) {
        virtio_pci_init(&functions[i], devices[i], &pci, i + 1);
        virtio_device_ops.reset(devices[i]);
        start(i, 0x20);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *ram = calloc(1, RAM);

    fake_init(&fake);
    fake.memory.slots[0].host = ram;
    fake_disk_init(&disk);
    offered = 0;
    set_up();
    for (; size >= 4; data += 4, size -= 4)
        step(data[0], data[1], (uint16_t)(data[2] | data[3] << 8));
    disk.slow = false;
    for (unsigned i = 0; i < DEVICES; i++) {
        virtio_device_ops.resume(devices[i]);
        for (unsigned n = 0; n < 1000 && virtio_device_run(devices[i]); n++)
            ;
        if (virtio_in_flight(&devices[i]->virtio) != 0)
            abort();
    }
    free(ram);
    return 0;
}
