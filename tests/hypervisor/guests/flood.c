/*
 * One notification of a device that asks for more than can be done: of the console, 128 requests of
 * 128 times all memory; of the disk, 128 requests that each read all of it, and all of them again
 * as soon as they are done. Its neighbour must go on as if nothing were. It never ends by itself.
 */
#include "tests/hypervisor/guests/lib/virtio.h"

int main(void);

int main(void)
{
    virtio_start(DISK ? VIRTIO_BLK : VIRTIO_CONSOLE, DISK ? 0 : 1);
    if (DISK) {
        uint64_t sectors = (uint64_t)*virtio_reg(0x104) << 32 | *virtio_reg(0x100);

        virtio_disk_describe(false, 0, (void *)0x81000000, (uint32_t)(sectors * 512));
    }
    for (uint16_t i = 0; i < VIRTIO_QUEUE; i++) {
        if (!DISK)
            virtio_table[i] =
                (struct virtio_descriptor){0x80000000, RAM, i < VIRTIO_QUEUE - 1, i + 1};
        virtio_available.ring[i] = 0;
    }
    guest_say("notifies");
    for (;;) {
        virtio_available.index += VIRTIO_QUEUE;
        __atomic_thread_fence(__ATOMIC_SEQ_CST);
        *virtio_reg(0x50) = DISK ? 0 : 1;
        wait_until(virtio_used.index == virtio_available.index);
    }
}
