/* Drives a virtio network card (virtio 1.2, 5.1); see nic.h. Queue 0 receives, queue 1 sends. */
#include "host/nic.h"

#include "abi/virtio.h"
#include "abi/virtio_net.h"
#include "common/string.h"
#include "host/interrupts.h"
#include "host/vdev.h"
#include "lib/lock.h"

enum { CONFIG = 0x100, BUFFER = 2048, OLD_HEADER = 10 };

/* Memory that the device accesses by DMA. */
struct shared {
    struct vdev_ring in __attribute__((aligned(4096)));
    struct vdev_ring out __attribute__((aligned(4096)));
    uint8_t received[NIC_BUFFERS][BUFFER], sent[NIC_BUFFERS][BUFFER];
};
_Static_assert(sizeof(struct shared) <= PAGE_4K << NIC_ORDER, "fits the pages it is given");
_Static_assert((int)NIC_BUFFERS <= (int)VDEV_QUEUE, "a descriptor each");

static struct vdev dev;
static struct shared *shared; /* NULL: not open */
static size_t header;         /* of each frame */
static bool interrupting;
static void (*on_arrival)(void);

static struct lock lock;   /* guards the send queue */
static uint16_t in_taken;  /* received frames whose buffers were given back */
static uint16_t out_given; /* frames given to the device to send */

static void serve(void)
{
    vdev_acknowledge(&dev);
    on_arrival();
}

static void offer_buffer(uint16_t i)
{
    shared->in.descriptors[i] =
        (struct vdev_descriptor){(hpa_t)shared->received[i], BUFFER, VDEV_WRITE, 0};
    vdev_offer(&shared->in, i);
}

bool nic_open(void *pages, void (*arrived)(void))
{
    uint64_t features = VIRTIO_NET_F_MAC | VIRTIO_NET_F_MRG_RXBUF;

    if (vdev_find(VIRTIO_ID_NET, 0, &dev) < 0 || !vdev_begin(&dev, &features))
        return false;
    /* A legacy device (version 1) has a shorter header, unless it merges receive buffers; each of
     * ours has room for a whole frame. */
    header = *vdev_reg(&dev, 4) == 1 && (features & VIRTIO_NET_F_MRG_RXBUF) == 0
                 ? OLD_HEADER
                 : sizeof(struct virtio_net_header);
    shared = pages;
    on_arrival = arrived;
    shared->out.available_flags = 1; /* no interrupt for sent frames */
    vdev_set_queue(&dev, VIRTIO_NET_RECEIVE, &shared->in);
    vdev_set_queue(&dev, VIRTIO_NET_TRANSMIT, &shared->out);
    vdev_go(&dev);
    for (uint16_t i = 0; i < NIC_BUFFERS; i++)
        offer_buffer(i);
    interrupting = interrupts_connect(dev.interrupt, serve); /* last: its task adds buffers too */
    vdev_notify(&dev, VIRTIO_NET_RECEIVE);
    return true;
}

bool nic_is_open(void)
{
    return shared != NULL;
}

bool nic_interrupts(void)
{
    return interrupting;
}

void nic_address(uint8_t mac[6])
{
    for (unsigned i = 0; i < 6; i++)
        mac[i] = ((volatile uint8_t *)vdev_reg(&dev, CONFIG))[i];
}

void nic_send(const uint8_t *frame, size_t size)
{
    unsigned i;
    LOCK_FOR_BLOCK(&lock);

    /* The device returns buffers in the order in which it got them: the oldest buffer is the
     * next. */
    if (size > NIC_FRAME || (uint16_t)(out_given - vdev_used(&shared->out)) >= NIC_BUFFERS)
        return;
    i = out_given % NIC_BUFFERS;
    memset(shared->sent[i], 0, header);
    memcpy(shared->sent[i] + header, frame, size);
    shared->out.descriptors[i] =
        (struct vdev_descriptor){(hpa_t)shared->sent[i], (uint32_t)(header + size), 0, 0};
    vdev_offer(&shared->out, (uint16_t)i);
    out_given++;
    vdev_notify(&dev, VIRTIO_NET_TRANSMIT);
}

bool nic_has_frame(void)
{
    return vdev_used(&shared->in) != in_taken;
}

size_t nic_receive(uint8_t *frame)
{
    uint32_t i, size;

    while (nic_has_frame()) {
        i = shared->in.used[in_taken % VDEV_QUEUE].head;
        size = shared->in.used[in_taken % VDEV_QUEUE].size;
        in_taken++;
        if (i >= NIC_BUFFERS) /* the device's fault: that buffer is lost */
            continue;
        size = size > header && size - header <= NIC_FRAME ? size - (uint32_t)header : 0;
        memcpy(frame, shared->received[i] + header, size);
        offer_buffer((uint16_t)i);
        vdev_notify(&dev, VIRTIO_NET_RECEIVE);
        if (size > 0)
            return size;
    }
    return 0;
}
