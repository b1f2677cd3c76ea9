/*
 * libFuzzer: a hostile driver of the virtio devices, over guest memory of two slots. The first byte
 * chooses the device; then each step has four bytes. The backend is fake, and checks what it is
 * asked: nothing beyond the disk, no memory outside the guest's (ASan).
 */
#include <stdlib.h>
#include <string.h>

#include "dev/virtio/balloon.h"
#include "dev/virtio/blk.h"
#include "dev/virtio/console.h"
#include "dev/virtio/net.h"
#include "dev/virtio/rng.h"
#include "dev/virtio/vsock.h"
#include "fake_backend.h"
#include "fake_channels.h"
#include "fake_disk.h"
#include "fake_net.h"
#include "fake_vsock.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SLOT = 0x8000, QUEUE_SIZE = 8, QUEUES_AT = 0x1000, HEADER_AT = 0x6000 };

static struct fake fake;
static struct fake_disk disk;
static struct blk blk;
static struct rng rng;
static struct balloon balloon;
static struct fake_channels channels;
static struct virtio_console console;
static struct fake_net cable;
static struct net net;
static struct fake_vsock sockets;
static struct vsock vsock;
static uint16_t offered[VIRTIO_QUEUES_MAX];

static void reach(struct virtio_device *device, uint64_t offset, uint8_t size, bool write,
                  uint64_t value)
{
    struct kvm_regs regs = {0};
    struct bus_cpu cpu = {.regs = &regs};
    struct bus_access access = {
        .offset = offset, .data = (uint8_t *)&value, .size = size, .write = write, .cpu = &cpu};

    if (virtio_device_ops.access(device, &access) != VERDICT_RESUME && disk.count == 0)
        abort(); /* it may wait only for requests in flight */
}

static void set(struct virtio_device *device, uint64_t offset, uint32_t value)
{
    reach(device, offset, 4, true, value);
}

static void start(struct virtio_device *device, uint32_t features)
{
    set(device, VIRTIO_MMIO_DRIVER_FEATURES_SEL, 0);
    set(device, VIRTIO_MMIO_DRIVER_FEATURES, (uint32_t)device->virtio.features | features << 28);
    set(device, VIRTIO_MMIO_DRIVER_FEATURES_SEL, 1);
    set(device, VIRTIO_MMIO_DRIVER_FEATURES, 1);
    set(device, VIRTIO_MMIO_STATUS, 0xb);
    for (uint32_t q = 0; q < device->kind->virtio.queues; q++) {
        set(device, VIRTIO_MMIO_QUEUE_SEL, q);
        set(device, VIRTIO_MMIO_QUEUE_NUM, QUEUE_SIZE);
        set(device, VIRTIO_MMIO_QUEUE_DESC, QUEUES_AT + q * 0x400);
        set(device, VIRTIO_MMIO_QUEUE_DRIVER, QUEUES_AT + q * 0x400 + 0x100);
        set(device, VIRTIO_MMIO_QUEUE_DEVICE, QUEUES_AT + q * 0x400 + 0x200);
        set(device, VIRTIO_MMIO_QUEUE_READY, 1);
    }
    set(device, VIRTIO_MMIO_STATUS, 0xf);
}

static void put(uint64_t at, const void *bytes, size_t size)
{
    if (!memory_write(&fake.memory, at, bytes, size))
        abort();
}

/* The header of a device's requests; the queue is mostly the right one. */
static unsigned choose_header(struct virtio_device *device, uint8_t shape, uint16_t b,
                              uint32_t header[11])
{
    if (device == &console.device) { /* a control message */
        header[0] = b & 3;
        header[1] = (b >> 2 & 7) | (uint32_t)(b >> 5 & 1) << 16;
        return shape & 0x20 ? 3 : shape % (2 + 2 * FAKE_CHANNELS);
    }
    if (device == &vsock.device) { /* a packet of one of a few connections */
        struct virtio_vsock_header packet = {.source_cid = 42,
                                             .target_cid = VIRTIO_VSOCK_HOST,
                                             .source_port = b & 3,
                                             .target_port =
                                                 b & 4 ? 9 : (1u << 30) + 1 + (b >> 3 & 3),
                                             .size = shape & 0x0c ? (b >> 4 & 3) * 512u : 0,
                                             .type = VIRTIO_VSOCK_STREAM,
                                             .op = (uint16_t)(1 + (b >> 8 & 7)),
                                             .flags = b >> 11 & 3,
                                             .buffer = b >> 13 << 12};

        memcpy(header, &packet, sizeof packet);
        return shape % VIRTIO_VSOCK_QUEUES;
    }
    header[0] = b & 15;
    header[2] = b >> 8;
    return shape % device->kind->virtio.queues;
}

/* A request of a header and up to three parts. */
static void offer(struct virtio_device *device, uint8_t shape, uint16_t b)
{
    uint32_t header[11] = {0};
    unsigned queue = choose_header(device, shape, b, header), parts = 1 + (shape >> 2 & 3);
    uint64_t base = QUEUES_AT + queue * 0x400;
    uint16_t index = ++offered[queue], head = 0;

    put(HEADER_AT, header, sizeof header);
    for (uint16_t i = 0; i < parts; i++) {
        struct virtio_descriptor d = {
            .address = i == 0 ? HEADER_AT : SLOT - 256u * i,
            .size = i == 0 ? (device == &vsock.device ? 44 : 16)
                           : 512u * (b >> 4 & 3) + (i + 1u == parts),
            .flags = (uint16_t)((i > 0 && (shape & 0x80) ? VIRTIO_DESC_WRITE : 0) |
                                (i + 1u < parts ? VIRTIO_DESC_NEXT : 0)),
            .next = (uint16_t)(i + 1)};

        if (i + 1u == parts && i > 0 && (shape & 0x40))
            d.flags |= VIRTIO_DESC_WRITE;
        put(base + i * sizeof d, &d, sizeof d);
    }
    put(base + 0x104 + 2u * ((index - 1u) % QUEUE_SIZE), &head, 2);
    put(base + 0x102, &index, 2);
}

/* An action of the host. */
static void host_step(struct virtio_device *device, uint8_t a, uint16_t b)
{
    static uint8_t bytes[CHANNEL_SIZE];
    struct channel *channel = &channels.channel[a % FAKE_CHANNELS];

    disk.slow = a & 1;
    disk.code = a & 2 ? -EIO : 0;
    cable.full = a & 1;
    cable.host.up = !(a & 2);
    cable.waiting_size = b % NET_FRAME_MAX;
    cable.waiting_count = a;
    if (device == &vsock.device) {
        struct fake_stream *s = &sockets.stream[b % 8];

        if ((a & 7) == 7 && sockets.client_count < 16 && sockets.open < 64)
            (void)fake_vsock_client(&sockets, a & 8 ? "CONNECT 1\n" : "CONNECT 2\n");
        s->waiting += b;
        s->room = a & 16 ? b : 0;
        s->ends = (a & 33) == 33;
        s->broken = (a & 66) == 66 ? -EPIPE : 0;
        sockets.refuses = (a & 128) && (a & 1) ? -ECONNREFUSED : 0;
        sockets.news = true;
    }
    if (device != &console.device)
        return;
    channel_set_open(channel, b & 1);
    if (b & 2)
        (void)channel_write(channel, bytes, b);
    if (b & 4)
        (void)channel_read(channel, bytes, b);
    if (b & 8)
        channel_resize(channel, a, b);
    if (channel->to_guest.used > CHANNEL_SIZE || channel->from_guest.used > CHANNEL_SIZE)
        abort();
}

static void step(struct virtio_device *device, uint8_t order, uint8_t a, uint16_t b)
{
    static uint8_t saved[8192];
    struct chunk_writer writer = {.bytes = saved, .room = sizeof saved};
    struct chunk_reader reader;
    struct chunk chunk;
    struct error error;

    switch (order & 15) {
    case 0:
        start(device, a & 3);
        break;
    case 1:
    case 2:
    case 3:
        offer(device, a, b);
        break;
    case 4:
    case 5:
        if (virtio_device_run(device) && virtio_device_run(device) && disk.count > 200)
            abort();
        break;
    case 6:
        host_step(device, a, b);
        break;
    case 7:
        reach(device, b & 0xfff, (uint8_t)(1u << (a & 3)), order & 0x10, a);
        break;
    case 8:
        set(device, VIRTIO_MMIO_STATUS, 0);
        memset(offered, 0, sizeof offered);
        break;
    case 9:
        if (virtio_device_ops.quiesce(device) != (virtio_in_flight(&device->virtio) == 0))
            abort();
        break;
    case 10:
        virtio_device_ops.resume(device);
        break;
    case 11: /* saved and loaded, perhaps damaged */
        if (!virtio_device_ops.quiesce(device))
            break;
        virtio_device_ops.save(device, "fuzz", &writer);
        if (order & 0x10)
            saved[sizeof(struct chunk_header) + b % (writer.used - sizeof(struct chunk_header))] ^=
                a;
        reader = (struct chunk_reader){.bytes = saved, .size = writer.used};
        if (chunk_next(&reader, &chunk, &error) != 1 ||
            (virtio_device_ops.load(device, &chunk, &error) < 0 && !(order & 0x10)))
            abort();
        break;
    default: /* the guest writes wherever it likes */
        put(b % (2 * SLOT), &a, 1);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *low = calloc(1, SLOT), *high = calloc(1, SLOT);
    struct virtio_device *const devices[] = {&blk.device, &rng.device,     &console.device,
                                             &net.device, &balloon.device, &vsock.device};
    struct virtio_device *device = devices[size > 0 ? data[0] % 6 : 0];
    struct error error;

    data += size > 0;
    size -= size > 0;

    fake_init(&fake);
    memory_init(&fake.memory, 0, SLOT, low);
    fake.memory.slots[1] = fake.memory.slots[0];
    fake.memory.slots[1].base = SLOT;
    fake.memory.slots[1].host = high;
    fake.memory.count = 2;
    memset(offered, 0, sizeof offered);
    fake_disk_init(&disk);
    if (blk.requests == NULL && blk_init(&blk, &fake.backend, 0, &disk.disk, &error) < 0)
        abort();
    if (device == &rng.device)
        rng_init(&rng, &fake.backend, 1);
    if (device == &balloon.device)
        balloon_init(&balloon, &fake.backend, 4);
    if (net.buffers == NULL) {
        fake_net_init(&cable);
        if (net_init(&net, &fake.backend, 3, &cable.host, &error) < 0)
            abort();
    }
    cable.waiting_count = 0;
    cable.full = false;
    if (vsock.connections == NULL) {
        fake_vsock_init(&sockets);
        if (vsock_init(&vsock, &fake.backend, 5, 42, &sockets.host, &error) < 0)
            abort();
    }
    if (device == &console.device) {
        fake_channels_init(&channels);
        virtio_console_init(&console, &fake.backend, 2, &channels.set);
    }
    virtio_device_ops.reset(device);
    device->complaints = 0;
    for (; size >= 4; data += 4, size -= 4)
        step(device, data[0], data[1], (uint16_t)(data[2] | data[3] << 8));
    disk.slow = false;
    for (unsigned i = 0; i < 1000 && virtio_device_run(device); i++)
        ;
    if (virtio_in_flight(&device->virtio) != 0)
        abort(); /* a request was lost */
    if (device == &vsock.device) {
        virtio_device_ops.reset(device);
        if (sockets.open != sockets.client_count)
            abort(); /* a connection was lost */
        sockets.open = sockets.client_count = 0;
        memset(sockets.stream, 0, sizeof sockets.stream);
    }
    free(low);
    free(high);
    return 0;
}
