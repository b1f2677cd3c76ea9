/* The 8259A as a PC wires it (Intel 8259A data sheet, initialization command words). */
#include "kernel/device/pic.h"

#include "kernel/cpu/descriptors.h"
#include "kernel/cpu/x86.h"

enum {
    FIRST = 0x20, /* command port; the data port follows */
    SECOND = 0xa0,
    INIT = 0x11, /* ICW1: edge triggered, a pair, ICW4 follows */
    PAIR_LINE = 2,
    MODE_8086 = 0x01,
    END_OF_INTERRUPT = 0x20,
};

static void init_one(uint16_t port, uint8_t vector, uint8_t wiring, uint8_t mask)
{
    x86_out8(port, INIT);
    x86_out8(port + 1, vector);
    x86_out8(port + 1, wiring);
    x86_out8(port + 1, MODE_8086);
    x86_out8(port + 1, mask);
}

void pic_init(void)
{
    init_one(FIRST, VECTOR_IRQ_BASE, 1 << PAIR_LINE,
             (uint8_t) ~(1 << PIC_LINE_CLOCK | 1 << PIC_LINE_UART));
    init_one(SECOND, VECTOR_IRQ_BASE + 8, PAIR_LINE, 0xff);
}

void pic_end_of_interrupt(unsigned line)
{
    if (line >= 8)
        x86_out8(SECOND, END_OF_INTERRUPT);
    x86_out8(FIRST, END_OF_INTERRUPT);
}
