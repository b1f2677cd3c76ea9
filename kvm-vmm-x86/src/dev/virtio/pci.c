/* Virtio over PCI; see pci.h. The registers for queues and device status are those of MMIO
 * (common/device/virtio/mmio.c) in another order. */
#include "dev/virtio/pci.h"

#include <stddef.h>
#include <string.h>

/* Offsets of the structures in the BAR. */
enum {
    COMMON_AT = 0x0000,
    ISR_AT = 0x0400,
    NOTIFY_AT = 0x0800,
    CONFIG_AT = 0x1000,
    TABLE_AT = 0x2000,
    PENDING_AT = 0x3000,
    BAR_SIZE = 0x4000,
    ISR_SIZE = 1,
    NOTIFY_SIZE = 4,
    CONFIG_SIZE = 0x1000,
};

/* Offsets of the capabilities in configuration space. */
enum { MSIX = 0x40, COMMON = 0x50, ISR = 0x60, CONFIG = 0x70, NOTIFY = 0x80, WINDOW = 0x98 };
enum { AF = 0xb0, NOTIFY_MULTIPLIER = 16, WINDOW_DATA = 16 /* behind the capability */ };

/* The class code (PCI 3.0, appendix D). */
static uint32_t class_of(uint32_t id)
{
    switch (id) {
    case VIRTIO_ID_NET:
        return 0x020000;
    case VIRTIO_ID_BLOCK:
        return 0x010000;
    case VIRTIO_ID_CONSOLE:
        return 0x078000;
    case VIRTIO_ID_FS:
        return 0x018000;
    default:
        return 0x00ff00;
    }
}

static struct virtio_pci *of(struct virtio_device *device)
{
    return device->transport_state;
}

static bool has(const struct virtio_pci *p, uint32_t command)
{
    return (pci_get(&p->function, PCI_COMMAND, 2) & command) != 0;
}

/* --- interrupts --- */

static void update_line(struct virtio_pci *p)
{
    irq_set(&p->device->irq, p->device->virtio.state.interrupt != 0 && !msix_is_on(&p->msix) &&
                                 !has(p, PCI_COMMAND_NO_INTX));
}

static void interrupt(struct virtio_device *device, unsigned source, bool raise)
{
    struct virtio_pci *p = of(device);

    if (!msix_is_on(&p->msix)) {
        update_line(p);
        return;
    }
    device->virtio.state.interrupt = 0; /* 4.1.4.5: ISR is only for the interrupt line */
    if (raise)
        msix_raise(&p->msix, p->state.vectors[source]);
}

/* --- registers in the BAR --- */

static void forget_vectors(struct virtio_pci *p)
{
    memset(p->state.vectors, 0xff, sizeof p->state.vectors);
}

static uint16_t *vector_of(struct virtio_pci *p, uint32_t queue)
{
    return queue < p->device->kind->virtio.queues ? &p->state.vectors[queue] : NULL;
}

static void read_common(struct virtio_pci *p, uint64_t offset, struct bus_access *access)
{
    struct virtio *v = &p->device->virtio;
    const struct virtio_state *s = &v->state;
    const uint16_t *vector = vector_of(p, s->queue_select);
    struct virtio_pci_common r = {.feature_select = s->feature_select,
                                  .features =
                                      (uint32_t)virtio_mmio_read(v, VIRTIO_MMIO_DEVICE_FEATURES, 4),
                                  .driver_feature_select = s->driver_feature_select,
                                  .config_vector = p->state.vectors[VIRTIO_CONFIG_SOURCE],
                                  .queues = (uint16_t)v->ops->queues,
                                  .status = (uint8_t)s->status,
                                  .generation = (uint8_t)s->generation,
                                  .queue_select = (uint16_t)s->queue_select};

    if (s->driver_feature_select <= 1)
        r.driver_features = (uint32_t)(s->driver_features >> 32 * s->driver_feature_select);
    if (vector != NULL) {
        const struct virtio_queue_state *q = &s->queue[s->queue_select];

        r.queue_size = (uint16_t)(q->size > 0 ? q->size : v->queue_size_max);
        r.queue_vector = *vector;
        r.queue_enable = q->ready;
        r.descriptors = q->descriptors;
        r.driver = q->driver;
        r.device = q->device;
    }
    memcpy(access->data, (const char *)&r + offset, access->size);
}

static void set_vector(const struct virtio_pci *p, uint16_t *vector, uint64_t value)
{
    if (vector != NULL)
        *vector = value < p->msix.vectors ? (uint16_t)value : VIRTIO_PCI_NO_VECTOR;
}

static bool set(struct virtio_pci *p, uint64_t mmio, uint64_t value)
{
    return virtio_mmio_write(&p->device->virtio, mmio, 4, value);
}

static bool write_status(struct virtio_pci *p, uint64_t value)
{
    if (!set(p, VIRTIO_MMIO_STATUS, value))
        return false;
    if (value == 0)
        forget_vectors(p);
    virtio_device_wake(p->device); /* there may be requests already */
    return true;
}

/* If the driver does not write the queue size, it gets the size it has read (4.1.4.3). */
static bool enable_queue(struct virtio_pci *p)
{
    const struct virtio *v = &p->device->virtio;

    if (v->state.queue_select < v->ops->queues && v->state.queue[v->state.queue_select].size == 0 &&
        !set(p, VIRTIO_MMIO_QUEUE_NUM, v->queue_size_max))
        return false;
    return set(p, VIRTIO_MMIO_QUEUE_READY, 1);
}

#define AT(member) offsetof(struct virtio_pci_common, member)

/* The three addresses of a queue, written in halves or as a whole. */
static bool write_address(struct virtio_pci *p, uint64_t offset, unsigned size, uint64_t value)
{
    uint64_t mmio = VIRTIO_MMIO_QUEUE_DESC + (offset - AT(descriptors)) / 8 * 0x10 + (offset & 4);

    if (size == 8 && offset % 8 == 0 && !set(p, mmio + 4, value >> 32))
        return false;
    return (size != 4 && size != 8) || offset % size != 0 || set(p, mmio, value & UINT32_MAX);
}

/* Returns false as virtio_mmio_write does. Only writes of a whole field (4.1.3.1) have an effect.
 */
static bool write_common(struct virtio_pci *p, uint64_t offset, unsigned size, uint64_t value)
{
    if (offset >= AT(descriptors) && offset < AT(queue_notify_data))
        return write_address(p, offset, size, value);
    switch (offset << 4 | size) {
    case AT(feature_select) << 4 | 4:
        return set(p, VIRTIO_MMIO_DEVICE_FEATURES_SEL, value);
    case AT(driver_feature_select) << 4 | 4:
        return set(p, VIRTIO_MMIO_DRIVER_FEATURES_SEL, value);
    case AT(driver_features) << 4 | 4:
        return set(p, VIRTIO_MMIO_DRIVER_FEATURES, value);
    case AT(config_vector) << 4 | 2:
        set_vector(p, &p->state.vectors[VIRTIO_CONFIG_SOURCE], value);
        return true;
    case AT(status) << 4 | 1:
        return write_status(p, value);
    case AT(queue_select) << 4 | 2:
        return set(p, VIRTIO_MMIO_QUEUE_SEL, value);
    case AT(queue_size) << 4 | 2:
        return set(p, VIRTIO_MMIO_QUEUE_NUM, value);
    case AT(queue_vector) << 4 | 2:
        set_vector(p, vector_of(p, p->device->virtio.state.queue_select), value);
        return true;
    case AT(queue_enable) << 4 | 2:
        return value != 1 || enable_queue(p);
    default:
        return true;
    }
}

/* Reading the ISR acknowledges the interrupt (4.1.4.5). */
static void read_isr(struct virtio_pci *p, struct bus_access *access)
{
    access->data[0] = (uint8_t)p->device->virtio.state.interrupt;
    p->device->virtio.state.interrupt = 0;
    update_line(p);
}

/* The device's lock is held. False: try again when a request has completed. */
static bool access_bar(struct virtio_pci *p, struct bus_access *access)
{
    struct virtio_device *d = p->device;
    uint64_t offset = access->offset, value = 0;

    if (access->write)
        memcpy(&value, access->data, access->size);
    else
        memset(access->data, 0, access->size);
    if (offset + access->size <= COMMON_AT + sizeof(struct virtio_pci_common)) {
        if (access->write)
            return write_common(p, offset, access->size, value);
        read_common(p, offset, access);
    } else if (offset == ISR_AT && !access->write) {
        read_isr(p, access);
    } else if (offset >= NOTIFY_AT && offset < NOTIFY_AT + NOTIFY_SIZE && access->write) {
        virtio_device_wake(d); /* where KVM does not signal the thread itself */
    } else if (offset >= CONFIG_AT && offset < CONFIG_AT + CONFIG_SIZE) {
        offset += VIRTIO_MMIO_CONFIG - CONFIG_AT;
        if (access->write)
            return virtio_mmio_write(&d->virtio, offset, access->size, value);
        value = virtio_mmio_read(&d->virtio, offset, access->size);
        memcpy(access->data, &value, access->size);
    } else if (offset >= TABLE_AT && offset < PENDING_AT) {
        msix_access_table(&p->msix, offset - TABLE_AT, access);
    } else if (offset >= PENDING_AT && !access->write) {
        msix_read_pending(&p->msix, offset - PENDING_AT, access);
    }
    return true;
}

static enum verdict memory_access(struct pci_function *function, struct bus_access *access)
{
    struct virtio_pci *p = function->device;
    bool finished;

    lock_take(&p->device->lock);
    finished = access_bar(p, access);
    p->device->awaited |= !finished;
    lock_release(&p->device->lock);
    return finished ? VERDICT_RESUME : VERDICT_AGAIN;
}

/* --- configuration space --- */

/* 4.1.4.9: access to the BAR through configuration space, for firmware that cannot reach the BAR.
 */
static bool access_window(struct virtio_pci *p, bool write, struct bus_cpu *cpu)
{
    struct virtio_pci_capability window;
    uint8_t *data = p->function.config + WINDOW + WINDOW_DATA, bytes[4];
    struct bus_access access = {.data = bytes, .write = write, .cpu = cpu};
    bool finished;

    memcpy(&window, p->function.config + WINDOW, sizeof window);
    if (window.bar != 0 || (window.size != 1 && window.size != 2 && window.size != 4) ||
        window.offset > BAR_SIZE - window.size || window.offset % window.size != 0)
        return true;
    access.offset = window.offset;
    access.size = (uint8_t)window.size;
    memcpy(bytes, data, sizeof bytes);
    finished = access_bar(p, &access);
    if (!write)
        memcpy(data, bytes, sizeof bytes);
    return finished;
}

/* Moves the BAR to the address in its registers, and KVM's ioeventfd with it. */
static void move(struct virtio_pci *p)
{
    const struct backend *backend = p->device->backend;
    uint64_t at = pci_wanted(&p->function);

    if (at == p->function.at)
        return;
    pci_decode_at(&p->function, at);
    backend->notify_at(backend->context, p->device->index, at != 0 ? at + NOTIFY_AT : 0);
}

/* A device that is not a bus master must not touch memory, which the guest may use for something
 * else. False: requests are in flight. */
static bool follow_command(struct virtio_pci *p)
{
    struct virtio_device *d = p->device;
    bool was_stopped = d->stopped;

    move(p);
    update_line(p);
    d->stopped = !has(p, PCI_COMMAND_MASTER);
    if (d->stopped)
        return virtio_in_flight(&d->virtio) == 0;
    msix_send(&p->msix);
    if (was_stopped)
        virtio_device_wake(d);
    return true;
}

/* Resets the PCI function to its power-on state, but not the virtio device. */
static void reset_function(struct virtio_pci *p)
{
    memcpy(p->function.config, p->fresh, sizeof p->fresh);
    p->state = (struct virtio_pci_state){0};
    forget_vectors(p);
    msix_reset(&p->msix);
    p->device->stopped = true;
    move(p);
    update_line(p);
}

static bool touches(unsigned reg, unsigned size, unsigned at, unsigned length)
{
    return reg < at + length && at < reg + size;
}

/* Applies a write to configuration registers that have an effect. */
static bool follow_write(struct virtio_pci *p, unsigned reg, struct bus_access *access)
{
    if (touches(reg, access->size, PCI_COMMAND, 2) || touches(reg, access->size, PCI_BAR, 8))
        return follow_command(p);
    if (touches(reg, access->size, MSIX + PCI_MSIX_CONTROL, 2)) {
        update_line(p);
        msix_send(&p->msix);
    }
    if (touches(reg, access->size, WINDOW + WINDOW_DATA, 4))
        return access_window(p, true, access->cpu);
    if (!touches(reg, access->size, AF + PCI_AF_CONTROL, 1) ||
        !(access->data[AF + PCI_AF_CONTROL - reg] & 1))
        return true;
    if (!set(p, VIRTIO_MMIO_STATUS, 0))
        return false;
    reset_function(p);
    return true;
}

static enum verdict config_access(struct pci_function *function, unsigned reg,
                                  struct bus_access *access)
{
    struct virtio_pci *p = function->device;
    bool finished = true;

    lock_take(&p->device->lock);
    if (access->write) {
        pci_config_access(function, reg, access);
        finished = follow_write(p, reg, access);
    } else {
        pci_set(function, PCI_STATUS, 1,
                PCI_STATUS_CAPABILITIES |
                    (p->device->virtio.state.interrupt != 0 ? PCI_STATUS_INTX : 0));
        if (touches(reg, access->size, WINDOW + WINDOW_DATA, 4))
            finished = access_window(p, false, access->cpu);
        pci_config_access(function, reg, access);
    }
    p->device->awaited |= !finished;
    lock_release(&p->device->lock);
    return finished ? VERDICT_RESUME : VERDICT_AGAIN;
}

static const struct pci_function_ops function_ops = {.config = config_access,
                                                     .memory = memory_access};

/* --- the device's transport --- */

static void reset(struct virtio_device *device)
{
    reset_function(of(device));
}

static void *state(struct virtio_device *device)
{
    struct virtio_pci *p = of(device);

    memcpy(p->state.config, p->function.config, sizeof p->state.config);
    return &p->state;
}

static bool can_be(const struct virtio_pci *p)
{
    for (unsigned i = 0; i < PCI_CONFIG_SIZE; i++)
        if (i != PCI_STATUS && ((p->state.config[i] ^ p->fresh[i]) & ~p->function.writable[i]))
            return false;
    for (unsigned i = 0; i < VIRTIO_PCI_VECTORS_MAX; i++)
        if (p->state.vectors[i] >= p->msix.vectors && p->state.vectors[i] != VIRTIO_PCI_NO_VECTOR)
            return false;
    return p->state.pending >> p->msix.vectors == 0;
}

/* The loaded interrupt controllers have the state of the line. */
static bool loaded(struct virtio_device *device)
{
    struct virtio_pci *p = of(device);

    if (!can_be(p))
        return false;
    memcpy(p->function.config, p->state.config, sizeof p->state.config);
    device->stopped = !has(p, PCI_COMMAND_MASTER);
    move(p);
    update_line(p);
    irq_restore(&device->irq, device->irq.level);
    return true;
}

static const struct virtio_transport transport = {.interrupt = interrupt,
                                                  .reset = reset,
                                                  .state = state,
                                                  .state_size = sizeof(struct virtio_pci_state),
                                                  .loaded = loaded};

/* --- capabilities --- */

static void add_part(struct virtio_pci *p, unsigned at, unsigned next, uint8_t part,
                     uint32_t offset, uint32_t size, unsigned length)
{
    struct virtio_pci_capability capability = {.id = PCI_CAP_VENDOR,
                                               .next = (uint8_t)next,
                                               .length = (uint8_t)length,
                                               .part = part,
                                               .offset = offset,
                                               .size = size};

    memcpy(p->function.config + at, &capability, sizeof capability);
}

static void add_capabilities(struct virtio_pci *p)
{
    enum { SIZE = sizeof(struct virtio_pci_capability) };
    struct pci_function *f = &p->function;

    pci_set(f, PCI_STATUS, 1, PCI_STATUS_CAPABILITIES);
    pci_set(f, PCI_CAPABILITIES, 1, MSIX);
    msix_add(&p->msix, f, COMMON, TABLE_AT, PENDING_AT);
    add_part(p, COMMON, ISR, VIRTIO_PCI_COMMON, COMMON_AT, sizeof(struct virtio_pci_common), SIZE);
    add_part(p, ISR, CONFIG, VIRTIO_PCI_ISR, ISR_AT, ISR_SIZE, SIZE);
    add_part(p, CONFIG, NOTIFY, VIRTIO_PCI_CONFIG, CONFIG_AT, CONFIG_SIZE, SIZE);
    add_part(p, NOTIFY, WINDOW, VIRTIO_PCI_NOTIFY, NOTIFY_AT, NOTIFY_SIZE, SIZE + 4);
    pci_set(f, NOTIFY + NOTIFY_MULTIPLIER, 4, 0); /* one address for all queues */
    add_part(p, WINDOW, AF, VIRTIO_PCI_WINDOW, 0, 0, SIZE + 4);
    memset(f->writable + WINDOW + offsetof(struct virtio_pci_capability, bar), 0xff, 1);
    memset(f->writable + WINDOW + offsetof(struct virtio_pci_capability, offset), 0xff, 12);
    pci_set(f, AF, 4, PCI_CAP_AF | PCI_AF_SIZE << 16 | (PCI_AF_TRANSACTIONS | PCI_AF_RESET) << 24);
}

void virtio_pci_init(struct virtio_pci *p, struct virtio_device *device, struct pci *pci,
                     unsigned slot)
{
    uint32_t id = device->kind->virtio.id;
    struct pci_identity identity = {.vendor = VIRTIO_PCI_VENDOR,
                                    .device = (uint16_t)(VIRTIO_PCI_DEVICE + id),
                                    .class_code = class_of(id),
                                    .revision = 1};

    *p = (struct virtio_pci){
        .device = device,
        .msix = {.backend = device->backend,
                 .function = &p->function,
                 .at = MSIX,
                 .vectors = device->kind->virtio.queues + 1,
                 .table = p->state.table,
                 .pending = &p->state.pending},
        .function = {
            .ops = &function_ops, .device = p, .gsi = device->irq.gsi, .bar_size = BAR_SIZE}};
    device->transport = &transport;
    device->transport_state = p;
    device->irq.trigger = IRQ_LEVEL;
    pci_add(pci, slot, &p->function, &identity);
    pci_set(&p->function, PCI_INTERRUPT_PIN, 1, 1);
    add_capabilities(p);
    memcpy(p->fresh, p->function.config, sizeof p->fresh);
    reset_function(p);
}
