/* Opens the console's receive queue, touches its memory, and reboots while somebody types. */
#include "tests/hypervisor/guests/lib/virtio.h"

static uint8_t buffer[2048];

int main(void);

int main(void)
{
    for (uint64_t page = 0x81000000; page < 0x80000000 + RAM; page += 4096)
        *(volatile uint64_t *)page = 1;
    for (uint16_t i = 0; i < VIRTIO_QUEUE; i++) {
        virtio_table[i] =
            (struct virtio_descriptor){(uintptr_t)buffer, sizeof buffer, VIRTIO_WRITE, 0};
        virtio_available.ring[i] = i;
    }
    virtio_available.index = VIRTIO_QUEUE;
    virtio_start(VIRTIO_CONSOLE, 0);
    for (uint64_t start = now(); now() - start < 1000000;) {
        uint16_t used = virtio_used.index;

        virtio_available.index = (uint16_t)(used + VIRTIO_QUEUE);
    }
    guest_say("got %u", virtio_used.index);
    guest_sbi(SRST, 0, 1, 0, 0, 0);
    return 0;
}
