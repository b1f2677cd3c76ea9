/*
 * A virtio network card's driver that sends a frame ten times a second and says what it hears, by
 * the first word of each frame of type 0x88b5. virtio 1.2, 5.1.
 */
#include "tests/hypervisor/guests/lib/virtio.h"

enum { BUFFER = 2048, HEADER = 12, ETHERNET = 14, NET = 1 };

static uint8_t received[VIRTIO_QUEUE][BUFFER];
static struct virtio_descriptor out_table[VIRTIO_QUEUE] __attribute__((aligned(4096)));
struct available {
    uint16_t flags, index, ring[VIRTIO_QUEUE];
};
struct used {
    uint16_t flags, index;
    uint32_t ring[2 * VIRTIO_QUEUE];
};
static volatile struct available out_available __attribute__((aligned(4096)));
static volatile struct used out_used __attribute__((aligned(4096)));
static uint8_t frame[HEADER + ETHERNET + 64];

static void add_send_queue(void)
{
    *virtio_reg(0x30) = 1;
    *virtio_reg(0x38) = VIRTIO_QUEUE;
    virtio_set_address(0x80, out_table);
    virtio_set_address(0x90, &out_available);
    virtio_set_address(0xa0, &out_used);
    *virtio_reg(0x44) = 1;
}

static void offer(unsigned i)
{
    virtio_table[i] = (struct virtio_descriptor){(uintptr_t)received[i], BUFFER, VIRTIO_WRITE, 0};
    virtio_available.ring[virtio_available.index % VIRTIO_QUEUE] = (uint16_t)i;
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    virtio_available.index++;
}

static void send(unsigned number)
{
    uint8_t *f = frame + HEADER;
    int length = fmt_snprint((char *)f + ETHERNET, 64, "guest %u", number);

    if (out_used.index != out_available.index)
        return;
    for (unsigned i = 0; i < 6; i++) {
        f[i] = 0xff;
        f[6 + i] = *((volatile uint8_t *)virtio_reg(0x100) + i);
    }
    f[12] = 0x88;
    f[13] = 0xb5;
    out_table[0] =
        (struct virtio_descriptor){(uintptr_t)frame, (uint32_t)(HEADER + ETHERNET + length), 0, 0};
    out_available.ring[out_available.index % VIRTIO_QUEUE] = 0;
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    out_available.index++;
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    *virtio_reg(0x50) = 1;
}

/* Says each word once, and takes what comes. */
static void look(uint16_t *seen)
{
    static bool outside, guest;

    while (*seen != virtio_used.index) {
        uint32_t i = virtio_used.ring[*seen % VIRTIO_QUEUE].head;
        uint32_t size = virtio_used.ring[(*seen)++ % VIRTIO_QUEUE].size;
        const uint8_t *f = received[i % VIRTIO_QUEUE] + HEADER;

        expect(i < VIRTIO_QUEUE && size <= HEADER + 1514);
        if (f[12] == 0x88 && f[13] == 0xb5 && f[ETHERNET] == 'o' && !outside) {
            outside = true;
            guest_say("heard outside");
        } else if (f[12] == 0x88 && f[13] == 0xb5 && f[ETHERNET] == 'g' && !guest) {
            guest = true;
            guest_say("heard guest");
        }
        offer(i);
    }
    *virtio_reg(0x50) = 0;
}

int main(void);

int main(void)
{
    uint16_t seen = 0;
    uint64_t next = now();

    virtio_start(NET, 0);
    add_send_queue();
    for (unsigned i = 0; i < VIRTIO_QUEUE; i++)
        offer(i);
    *virtio_reg(0x50) = 0;
    guest_say("listens");
    for (unsigned number = 0;;) {
        look(&seen);
        if (now() < next)
            continue;
        next = now() + 1000000;
        send(number++);
        if (number % 5 == 0)
            guest_say("still there");
    }
}
