/* What a guest's virtio devices share; see slot.h. */
#include "dev/virtio/slot.h"

void slot_init(struct slot *s, const struct slot_kind *kind, const struct virtio_world *world,
               void *vm, struct irq_line irq)
{
    *s = (struct slot){.kind = kind, .vm = vm, .irq = irq};
    s->virtio = (struct virtio){.ops = &kind->virtio,
                                .world = world,
                                .context = s,
                                .features = kind->features,
                                .queue_size_max = SLOT_QUEUE};
    s->request = (struct virtio_chain){.part = s->parts, .room = SLOT_QUEUE};
}

void slot_set_config(struct slot *s, void *config, uint32_t size)
{
    s->virtio.config = config;
    s->virtio.config_size = size;
}

void slot_notified(struct virtio *dev, unsigned queue)
{
    (void)queue;
    slot_of(dev)->kicked = true;
}

static void let_go(struct slot *s)
{
    if (s->holds)
        virtio_unpop(&s->virtio, &s->request);
    s->holds = false;
    if (s->kind->reset != NULL)
        s->kind->reset(s);
}

void slot_reset(struct virtio *dev)
{
    slot_of(dev)->kicked = false;
    let_go(slot_of(dev));
}

bool slot_take(struct slot *s, unsigned queue)
{
    s->holds = virtio_pop(&s->virtio, queue, &s->request);
    return s->holds;
}

int slot_push(struct slot *s, const struct virtio_chain *chain, uint32_t written)
{
    int result = virtio_push(&s->virtio, chain, written);

    if (result != VIRTIO_OK)
        return result;
    virtio_notify_driver(&s->virtio, chain->queue);
    if (chain == &s->request)
        s->holds = false;
    return VIRTIO_OK;
}

enum slot_step slot_listen(struct slot *s, unsigned queue)
{
    int result = virtio_listen(&s->virtio, queue);

    return result == VIRTIO_MORE ? STEP_MORE : result == VIRTIO_LATER ? STEP_MEMORY : STEP_IDLE;
}

/* ---- Registers ---- */

static uint64_t read(void *state, uint64_t offset, unsigned width)
{
    return virtio_mmio_read(&((struct slot *)state)->virtio, offset, width);
}

static void write(void *state, uint64_t offset, unsigned width, uint64_t value)
{
    struct slot *s = state;

    if (virtio_mmio_write(&s->virtio, offset, width, value))
        return;
    /* The driver takes back a queue while a request of it is held: that request is dropped. */
    let_go(s);
    (void)!virtio_mmio_write(&s->virtio, offset, width, value);
}

const struct device_ops slot_ops = {.name = "virtio", .read = read, .write = write};
