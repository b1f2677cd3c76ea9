/* virtio network device; see net.h. */
#include "dev/virtio/net.h"

#include "common/string.h"
#include "vm/vm.h"

enum { RECEIVE, SEND };
enum { HEADER_SIZE = 12, FRAMES_MAX = VIRTIO_QUEUE_MAX };
#define FEATURE_MAC (1ul << 5)

static struct virtio *port_of(struct vm *vm, const char *network)
{
    if (vm == NULL || vm->state != VM_RUNNING || strcmp(vm->config.net, network) != 0)
        return NULL;
    for (unsigned i = 0; i < vm->virtio_count; i++)
        if (vm->virtio[i].ops == &virtio_net_ops)
            return &vm->virtio[i];
    return NULL;
}

/* Puts a frame into a VM's receive queue; its lock is held. Nowhere to put it: it is dropped, as a
 * wire would. */
static void receive(struct virtio *dev, const uint8_t *frame, size_t size)
{
    struct virtio_chain *c = &dev->vm->chain;
    struct net *net = dev->state;

    if (!virtio_pop(dev, RECEIVE, c)) {
        net->dropped++;
        return;
    }
    if (!virtio_write(dev, c, 0, frame, size)) {
        net->dropped++;
        size = 0;
    }
    virtio_push(dev, RECEIVE, c, (uint32_t)size);
    virtio_interrupt(dev);
    net->received++;
}

/* Two VMs' locks are never held at once: the sender's is given up while its frame, which is in a
 * buffer of its own by now, goes round. */
static void spread(struct virtio *from, const uint8_t *frame, size_t size)
{
    char network[NAME_SIZE];

    (void)string_copy(network, from->vm->config.net, sizeof network);
    lock_drop(&from->vm->lock);
    for (unsigned i = 0; i < vm_count; i++) {
        struct vm *vm = vms[i];
        struct virtio *dev = vm != from->vm ? port_of(vm, network) : NULL;

        if (dev == NULL)
            continue;
        lock_take(&vm->lock);
        receive(dev, frame, size);
        lock_drop(&vm->lock);
    }
    lock_take(&from->vm->lock);
}

static void notify(struct virtio *dev, unsigned queue)
{
    struct virtio_chain *c = &dev->vm->chain;
    struct net *net = dev->state;
    uint8_t frame[NET_FRAME_MAX];
    int served = 0;

    if (queue != SEND)
        return;
    while (served < FRAMES_MAX && virtio_pop(dev, SEND, c)) {
        size_t size = c->readable;
        bool good =
            size > HEADER_SIZE && size <= sizeof frame && virtio_read(dev, c, 0, frame, size);

        virtio_push(dev, SEND, c, 0);
        served++;
        if (!good) {
            net->dropped++;
            continue;
        }
        memset(frame, 0, HEADER_SIZE); /* no offloads were offered */
        frame[10] = 1;                 /* num_buffers */
        net->sent++;
        spread(dev, frame, size);
    }
    if (served > 0)
        virtio_interrupt(dev);
}

static uint64_t config(struct virtio *dev, uint64_t offset, unsigned width)
{
    const struct net *net = dev->state;
    uint64_t value = 0;

    for (unsigned i = 0; i < width; i++)
        if (offset + i < sizeof net->mac)
            value |= (uint64_t)net->mac[offset + i] << 8 * i;
    return value;
}

const struct virtio_ops virtio_net_ops = {
    .name = "virtio-net",
    .id = VIRTIO_NET,
    .queues = 2,
    .features = FEATURE_MAC,
    .notify = notify,
    .config = config,
};
