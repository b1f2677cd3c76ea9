/*
 * libFuzzer: a hostile driver of a virtio device with two queues, and states to load. A step has
 * four bytes: the action and two operands. The invariants are checked after each step.
 */
#include "common/test/virtio_world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { QUEUES = 2, QUEUE_SIZE = 8, HELD = 4, DRIVER = WORLD_BASE + 0x100 };

struct fuzz {
    struct virtio_test_world world;
    struct virtio dev;
    struct virtio_part parts[HELD][QUEUE_SIZE];
    struct virtio_chain held[HELD]; /* requests in flight */
    bool holds[HELD];
    uint8_t config[12];
};

static void on_reset(struct virtio *dev)
{
    if (dev->device == NULL)
        abort();
}

static void on_configure(struct virtio *dev, uint32_t offset, uint64_t value, unsigned width)
{
    if (offset + width > dev->config_size)
        abort();
    memcpy(dev->config + offset, &value, width);
}

static const struct virtio_ops ops = {
    .name = "fuzz", .id = 99, .queues = QUEUES, .reset = on_reset, .configure = on_configure};

static void take(struct fuzz *f, unsigned queue)
{
    for (unsigned i = 0; i < HELD; i++) {
        if (f->holds[i])
            continue;
        f->held[i] = (struct virtio_chain){.part = f->parts[i], .room = QUEUE_SIZE};
        f->holds[i] = virtio_pop(&f->dev, queue, &f->held[i]);
        if (f->holds[i] && f->held[i].count > QUEUE_SIZE)
            abort();
        return;
    }
}

/* Completes a request that is in flight. */
static void finish(struct fuzz *f, unsigned i, uint16_t skip)
{
    uint8_t bytes[300];
    struct virtio_piece pieces[3];
    uint64_t n = sizeof bytes;
    unsigned count;
    struct virtio_chain *c = &f->held[i];

    if (!f->holds[i])
        return;
    if (virtio_read(&f->dev, c, skip, bytes, sizeof bytes) == VIRTIO_OK &&
        skip + sizeof bytes > c->readable)
        abort();
    memset(bytes, 0xa5, sizeof bytes);
    if (virtio_write(&f->dev, c, skip, bytes, sizeof bytes) == VIRTIO_OK &&
        skip + sizeof bytes > c->writable)
        abort();
    if (virtio_pieces(&f->dev, c, true, skip, &n, pieces, 3, &count) == VIRTIO_OK)
        for (unsigned p = 0; p < count; p++)
            memset(pieces[p].at, 0x5a, pieces[p].size);
    f->holds[i] = virtio_push(&f->dev, c, (uint32_t)n) == VIRTIO_LATER;
    if (!f->holds[i])
        virtio_notify_driver(&f->dev, c->queue);
}

/* What a kernel writes to let a device run. */
static void start(struct fuzz *f, uint16_t features)
{
    static const uint16_t places[] = {VIRTIO_MMIO_QUEUE_DESC, VIRTIO_MMIO_QUEUE_DRIVER,
                                      VIRTIO_MMIO_QUEUE_DEVICE};

    for (unsigned i = 0; i < 2; i++) {
        (void)virtio_mmio_write(&f->dev, VIRTIO_MMIO_DRIVER_FEATURES_SEL, 4, i);
        (void)virtio_mmio_write(&f->dev, VIRTIO_MMIO_DRIVER_FEATURES, 4,
                                i == 1 ? 1 : (features & 3u) << 28);
    }
    (void)virtio_mmio_write(&f->dev, VIRTIO_MMIO_QUEUE_NUM, 4, QUEUE_SIZE);
    for (unsigned i = 0; i < 3; i++)
        (void)virtio_mmio_write(&f->dev, places[i], 4, WORLD_BASE + 0x100 * i);
    (void)virtio_mmio_write(&f->dev, VIRTIO_MMIO_QUEUE_READY, 4, 1);
    (void)virtio_mmio_write(&f->dev, VIRTIO_MMIO_STATUS, 4, 0xf);
}

static void step(struct fuzz *f, uint8_t order, uint8_t a, uint16_t b)
{
    static const uint16_t registers[] = {0x14, 0x20, 0x24, 0x30, 0x38, 0x44, 0x50,  0x64, 0x70,
                                         0x80, 0x84, 0x90, 0x94, 0xa0, 0xa4, 0x100, 0x108};
    uint16_t at = registers[a % (sizeof registers / sizeof registers[0])];
    uint64_t value = at >= 0x80 && at < 0xb0 && (at & 4) == 0 ? WORLD_BASE + b : b;
    struct virtio_descriptor d;
    struct virtio_state copy;
    uint16_t index;
    uint64_t entry;
    uint8_t byte = (uint8_t)b;

    switch (order & 15) {
    case 0:
    case 1:
    case 2:
        (void)virtio_mmio_write(&f->dev, at, 4, value);
        break;
    case 3:
        (void)virtio_mmio_write(&f->dev, b & 0x1ff, 1u << (a & 3), a);
        break;
    case 4:
        (void)virtio_mmio_read(&f->dev, b & 0x1ff, 1u << (a & 3));
        break;
    case 5:
        take(f, a & 1);
        break;
    case 6:
        finish(f, a % HELD, b);
        break;
    case 7:
        if (virtio_listen(&f->dev, a & 1) == VIRTIO_BAD)
            virtio_broken(&f->dev, "fuzz");
        break;
    case 8:
        virtio_stop_listening(&f->dev, a & 1);
        break;
    case 9:
        f->world.unbacked = a & 1;
        break;
    case 10:
        start(f, b);
        break;
    case 11:
        copy = f->dev.state;
        if (virtio_in_flight(&f->dev) == 0 && !f->dev.resetting && !virtio_load(&f->dev, &copy))
            abort();
        break;
    case 12: /* a descriptor, mostly with a valid address */
        d = (struct virtio_descriptor){
            .address = WORLD_BASE + b, .size = a * 16u, .flags = order >> 4 & 7, .next = a & 7};
        world_copy(&f->world, WORLD_BASE + (b & 7) * sizeof d, &d, sizeof d, true);
        break;
    case 13: /* one more request */
        world_copy(&f->world, DRIVER + 2, &index, 2, false);
        entry = DRIVER + 4 + 2ul * (index++ % QUEUE_SIZE);
        world_copy(&f->world, entry, &(uint16_t){a & 7}, 2, true);
        world_copy(&f->world, DRIVER + 2, &index, 2, true);
        break;
    default:
        for (unsigned i = 0; i < 2; i++)
            world_copy(&f->world, WORLD_BASE + (uint16_t)(b + i) % (2 * WORLD_HALF),
                       i == 0 ? &a : &byte, 1, true);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz f = {.dev = {.ops = &ops,
                             .world = &world_ops,
                             .queue_size_max = QUEUE_SIZE,
                             .features = 0x40,
                             .config_size = sizeof f.config}};
    struct virtio_state state;
    unsigned held;

    world_open(&f.world);
    f.dev.context = &f.world;
    f.dev.device = &f;
    f.dev.config = f.config;
    if (size > sizeof state && (data[0] & 1)) {
        memcpy(&state, data + 1, sizeof state);
        data += sizeof state;
        size -= sizeof state;
        if (!virtio_load(&f.dev, &state))
            virtio_reset(&f.dev);
    }
    for (; size >= 4; data += 4, size -= 4) {
        step(&f, data[0], data[1], (uint16_t)(data[2] | data[3] << 8));
        held = 0;
        for (unsigned i = 0; i < HELD; i++)
            held += f.holds[i];
        if (virtio_in_flight(&f.dev) != held || f.world.broken > 100000)
            abort();
    }
    world_close(&f.world);
    return 0;
}
