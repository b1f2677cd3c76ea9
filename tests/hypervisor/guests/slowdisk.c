/*
 * Requests to a disk that answers later than the hypervisor waits. Eight blocks, each full of one
 * letter: what is read or written must be right or answered with an error, never be changed later,
 * and the hypervisor must live on.
 */
#include "tests/hypervisor/guests/lib/virtio.h"

enum { BLOCKS = 8, BLOCK = 4096 };

static uint8_t data[BLOCK];

int main(void);

int main(void)
{
    virtio_start(VIRTIO_BLK, 0);
    for (int i = 0; i < BLOCKS; i++) {
        uint16_t index = (uint16_t)(virtio_used.index + 1);

        for (int k = 0; k < BLOCK; k++)
            data[k] = (uint8_t)('A' + i);
        virtio_disk_describe(WRITES, 8 * (uint64_t)i, data, BLOCK);
        virtio_available.ring[virtio_available.index % VIRTIO_QUEUE] = 0;
        __atomic_thread_fence(__ATOMIC_SEQ_CST);
        virtio_available.index++;
        *virtio_reg(0x50) = 0;
        wait_until(virtio_used.index == index);
        guest_say("block %d: status %d", i, virtio_disk_status);
    }
    for (int i = 0; i < 20; i++) { /* what comes late comes while the hypervisor works */
        wait_for(2500000);
        guest_say("still here, %d", i);
    }
    return 0;
}
