/* Virtio devices on the machine's bus; see device.h. */
#include "dev/virtio/device.h"

#include <stdio.h>
#include <string.h>

enum { VERSION = 1 };        /* of the saved state */
enum { COMPLAINTS_MAX = 4 }; /* limits the messages: a driver may break its device often */

static bool world_contains(void *context, uint64_t address, uint64_t size)
{
    const struct virtio_device *d = context;

    return memory_holds(d->backend->memory, address, size);
}

static int world_piece(void *context, uint64_t address, uint64_t size, bool write,
                       struct virtio_piece *piece)
{
    const struct memory *memory = ((const struct virtio_device *)context)->backend->memory;
    const struct memory_slot *slot = memory_slot_at(memory, address);
    struct iovec entry;

    if (slot == NULL)
        return VIRTIO_BAD;
    if (size > slot->size - (address - slot->base))
        size = slot->size - (address - slot->base);
    if (memory_iovec(memory, address, size, write, &entry, 1) != 1)
        return VIRTIO_BAD;
    *piece = (struct virtio_piece){.at = entry.iov_base, .size = entry.iov_len};
    return VIRTIO_OK;
}

static void world_written(void *context, uint64_t address, uint64_t size)
{
    memory_log_write(((const struct virtio_device *)context)->backend->memory, address, size);
}

static void world_interrupt(void *context, unsigned source, bool raise)
{
    struct virtio_device *d = context;

    d->transport->interrupt(d, source, raise);
}

static void world_broken(void *context, const char *what)
{
    struct virtio_device *d = context;
    char text[160];

    if (d->complaints++ >= COMPLAINTS_MAX)
        return;
    snprintf(text, sizeof text, "virtio%u (%s): its driver offers %s; the device needs a reset",
             d->index, d->kind->virtio.name, what);
    d->backend->say(d->backend->context, text);
}

static const struct virtio_world world = {.contains = world_contains,
                                          .piece = world_piece,
                                          .written = world_written,
                                          .interrupt = world_interrupt,
                                          .broken = world_broken};

void virtio_device_wake(struct virtio_device *d)
{
    if (d->wake != NULL)
        d->wake(d->wake_context);
}

static enum verdict device_access(void *device, struct bus_access *access)
{
    struct virtio_device *d = device;
    uint64_t value = 0;
    bool finished = true;

    lock_take(&d->lock);
    if (access->write) {
        memcpy(&value, access->data, access->size);
        if (access->offset == VIRTIO_MMIO_QUEUE_NOTIFY)
            virtio_device_wake(d); /* where KVM does not signal the thread itself */
        else
            finished = virtio_mmio_write(&d->virtio, access->offset, access->size, value);
    } else {
        value = virtio_mmio_read(&d->virtio, access->offset, access->size);
        memcpy(access->data, &value, access->size);
    }
    d->awaited |= !finished;
    if (access->write && access->offset == VIRTIO_MMIO_STATUS && finished)
        virtio_device_wake(d); /* there may be requests already */
    lock_release(&d->lock);
    return finished ? VERDICT_RESUME : VERDICT_AGAIN;
}

bool virtio_device_is_open(const struct virtio_device *device)
{
    return !device->quiet && !device->stopped && virtio_is_running(&device->virtio);
}

bool virtio_device_run(void *device)
{
    struct virtio_device *d = device;
    bool more, awaited;

    lock_take(&d->lock);
    more = d->kind->run(d);
    for (unsigned i = 0; i < d->kind->virtio.queues; i++)
        virtio_notify_driver(&d->virtio, i);
    awaited = d->awaited;
    d->awaited = false;
    lock_release(&d->lock);
    if (awaited)
        d->backend->wake(d->backend->context); /* the vCPU tries again, and may wait again */
    return more;
}

static void device_reset(void *device)
{
    struct virtio_device *d = device;

    lock_take(&d->lock);
    virtio_reset(&d->virtio);
    if (d->transport->reset != NULL)
        d->transport->reset(d);
    d->quiet = false;
    lock_release(&d->lock);
}

static bool device_quiesce(void *device)
{
    struct virtio_device *d = device;
    bool quiet;

    lock_take(&d->lock);
    d->quiet = true;
    quiet = virtio_in_flight(&d->virtio) == 0;
    d->awaited |= !quiet;
    lock_release(&d->lock);
    return quiet;
}

static void device_resume(void *device)
{
    struct virtio_device *d = device;

    lock_take(&d->lock);
    if (d->quiet)
        virtio_device_wake(d);
    d->quiet = false;
    lock_release(&d->lock);
}

/* Queues and registers, then the state of the device's kind, then that of the transport. */
enum { PARTS = 3, STATE_MAX = sizeof(struct virtio_state) + 5120 };

struct part {
    void *at;
    size_t size;
};

static size_t list_parts(struct virtio_device *d, struct part parts[PARTS])
{
    const struct virtio_transport *t = d->transport;
    size_t size = 0;

    parts[0] = (struct part){&d->virtio.state, sizeof d->virtio.state};
    parts[1] =
        (struct part){d->kind->state_size > 0 ? d->kind->state(d) : NULL, d->kind->state_size};
    parts[2] = (struct part){t->state_size > 0 ? t->state(d) : NULL, t->state_size};
    for (unsigned i = 0; i < PARTS; i++)
        size += parts[i].size;
    return size;
}

static void gather(const struct part parts[PARTS], uint8_t *bytes)
{
    for (unsigned i = 0; i < PARTS; bytes += parts[i++].size)
        if (parts[i].size > 0)
            memcpy(bytes, parts[i].at, parts[i].size);
}

/* All parts except the registers, which virtio_load restores. */
static void scatter(const struct part parts[PARTS], const uint8_t *bytes)
{
    bytes += parts[0].size;
    for (unsigned i = 1; i < PARTS; bytes += parts[i++].size)
        if (parts[i].size > 0)
            memcpy(parts[i].at, bytes, parts[i].size);
}

static void device_save(void *device, const char *name, struct chunk_writer *writer)
{
    struct virtio_device *d = device;
    struct part parts[PARTS];
    uint8_t bytes[STATE_MAX];
    size_t size;

    lock_take(&d->lock);
    size = list_parts(d, parts);
    gather(parts, bytes);
    lock_release(&d->lock);
    chunk_write(writer, name, VERSION, bytes, size);
}

static bool load_locked(struct virtio_device *d, const struct part parts[PARTS],
                        const uint8_t *bytes)
{
    struct virtio_state state, before = d->virtio.state;
    uint8_t own[STATE_MAX];

    gather(parts, own);
    memcpy(&state, bytes, sizeof state);
    if (virtio_in_flight(&d->virtio) > 0 || !virtio_load(&d->virtio, &state))
        return false;
    scatter(parts, bytes);
    if ((d->kind->state_size == 0 || d->kind->loaded(d)) &&
        (d->transport->state_size == 0 || d->transport->loaded(d)))
        return true;
    scatter(parts, own);
    d->virtio.state = before;
    return false;
}

/* An interrupt that was raised before the save is in the saved interrupt controllers. */
static int device_load(void *device, const struct chunk *chunk, struct error *error)
{
    struct virtio_device *d = device;
    struct part parts[PARTS];
    uint8_t bytes[STATE_MAX];
    int result;
    bool good;

    lock_take(&d->lock);
    result = chunk_copy(chunk, VERSION, bytes, list_parts(d, parts), error);
    good = result == 0 && load_locked(d, parts, bytes);
    if (good)
        virtio_device_wake(d);
    lock_release(&d->lock);
    if (result < 0 || good)
        return result;
    return error_set(error, "the saved state of %s is impossible", chunk->name);
}

static const char *const names[64] = {
    [VIRTIO_MMIO_MAGIC / 4] = "MagicValue",
    [VIRTIO_MMIO_VERSION / 4] = "Version",
    [VIRTIO_MMIO_DEVICE_ID / 4] = "DeviceID",
    [VIRTIO_MMIO_VENDOR_ID / 4] = "VendorID",
    [VIRTIO_MMIO_DEVICE_FEATURES / 4] = "DeviceFeatures",
    [VIRTIO_MMIO_DEVICE_FEATURES_SEL / 4] = "DeviceFeaturesSel",
    [VIRTIO_MMIO_DRIVER_FEATURES / 4] = "DriverFeatures",
    [VIRTIO_MMIO_DRIVER_FEATURES_SEL / 4] = "DriverFeaturesSel",
    [VIRTIO_MMIO_QUEUE_SEL / 4] = "QueueSel",
    [VIRTIO_MMIO_QUEUE_NUM_MAX / 4] = "QueueNumMax",
    [VIRTIO_MMIO_QUEUE_NUM / 4] = "QueueNum",
    [VIRTIO_MMIO_QUEUE_READY / 4] = "QueueReady",
    [VIRTIO_MMIO_QUEUE_NOTIFY / 4] = "QueueNotify",
    [VIRTIO_MMIO_INTERRUPT_STATUS / 4] = "InterruptStatus",
    [VIRTIO_MMIO_INTERRUPT_ACK / 4] = "InterruptACK",
    [VIRTIO_MMIO_STATUS / 4] = "Status",
    [VIRTIO_MMIO_QUEUE_DESC / 4] = "QueueDescLow",
    [VIRTIO_MMIO_QUEUE_DESC / 4 + 1] = "QueueDescHigh",
    [VIRTIO_MMIO_QUEUE_DRIVER / 4] = "QueueDriverLow",
    [VIRTIO_MMIO_QUEUE_DRIVER / 4 + 1] = "QueueDriverHigh",
    [VIRTIO_MMIO_QUEUE_DEVICE / 4] = "QueueDeviceLow",
    [VIRTIO_MMIO_QUEUE_DEVICE / 4 + 1] = "QueueDeviceHigh",
    [63] = "Config",
};
static const struct bus_registers registers = {
    .read = BUS_NAMES(names), .written = BUS_NAMES(names), .stride = 4};

const struct bus_ops virtio_device_ops = {.name = "virtio",
                                          .registers = &registers,
                                          .width = 8,
                                          .access = device_access,
                                          .reset = device_reset,
                                          .save = device_save,
                                          .load = device_load,
                                          .quiesce = device_quiesce,
                                          .resume = device_resume};

/* The line is edge-triggered, so an acknowledgement changes nothing. */
static void interrupt(struct virtio_device *d, unsigned source, bool raise)
{
    (void)source;
    if (raise)
        irq_pulse(&d->irq);
}

static const struct virtio_transport mmio = {.interrupt = interrupt};

void virtio_device_init(struct virtio_device *d, const struct virtio_kind *kind,
                        const struct backend *backend, unsigned index, uint64_t features,
                        uint32_t queue_size, void *config, uint32_t config_size)
{
    *d = (struct virtio_device){
        .kind = kind,
        .transport = &mmio,
        .backend = backend,
        .index = index,
        .fd = -1,
        .irq = {.backend = backend, .gsi = VIRTIO_DEVICE_GSI + index, .trigger = IRQ_EDGE},
        .virtio = {.ops = &kind->virtio,
                   .world = &world,
                   .features = features,
                   .queue_size_max = queue_size,
                   .config = config,
                   .config_size = config_size}};
    d->virtio.context = d;
    lock_init(&d->lock);
}
