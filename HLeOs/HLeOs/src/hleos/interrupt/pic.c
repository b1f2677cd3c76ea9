/* Intel 8259A datasheet: initialisation words ICW1-4, operation words OCW1-3. */
#include "HLeOs/HLeOs/src/hleos/interrupt/pic.h"

#include "HLeOs/HLeOs/src/hleos/interrupt.h"
#include "common/x86.h"

enum { MASTER = 0x20, SLAVE = 0xa0, DATA = 1, LINES = 16, CASCADE = 2 };
enum { ICW1_INIT_ICW4 = 0x11, ICW4_8086 = 0x01, OCW2_END = 0x20, OCW3_READ_ISR = 0x0b };

static uint16_t mask = 0xffff;

static void write_mask(void)
{
    x86_out8(MASTER + DATA, (uint8_t)mask);
    x86_out8(SLAVE + DATA, (uint8_t)(mask >> 8));
}

void pic_init(void)
{
    x86_out8(MASTER, ICW1_INIT_ICW4);
    x86_out8(SLAVE, ICW1_INIT_ICW4);
    x86_out8(MASTER + DATA, INTERRUPT_IRQ_BASE);
    x86_out8(SLAVE + DATA, INTERRUPT_IRQ_BASE + 8);
    x86_out8(MASTER + DATA, 1 << CASCADE); /* a bit mask here, */
    x86_out8(SLAVE + DATA, CASCADE);       /* a number there */
    x86_out8(MASTER + DATA, ICW4_8086);
    x86_out8(SLAVE + DATA, ICW4_8086);
    write_mask();
}

static void enable(unsigned line)
{
    if (line >= LINES)
        return;
    mask &= (uint16_t) ~(1 << line);
    if (line >= 8)
        mask &= (uint16_t) ~(1 << CASCADE);
    write_mask();
}

static bool in_service(uint16_t port, unsigned line)
{
    x86_out8(port, OCW3_READ_ISR);
    return x86_in8(port) >> line & 1;
}

/* A line that drops before it is acknowledged appears as the chip's line 7, with nothing in
 * service. The slave's phantom still went through the master, which wants its end. */
static bool spurious(unsigned vector)
{
    unsigned line = vector - INTERRUPT_IRQ_BASE;

    if (line == 7)
        return !in_service(MASTER, 7);
    if (line == 15 && !in_service(SLAVE, 7)) {
        x86_out8(MASTER, OCW2_END);
        return true;
    }
    return false;
}

static void end(unsigned vector)
{
    unsigned line = vector - INTERRUPT_IRQ_BASE;

    if (line >= LINES)
        return;
    if (line >= 8)
        x86_out8(SLAVE, OCW2_END);
    x86_out8(MASTER, OCW2_END);
}

const struct interrupt_controller *pic_controller(void)
{
    static const struct interrupt_controller pic = {
        .name = "PIC (two 8259A)", .enable = enable, .spurious = spurious, .end = end};

    return &pic;
}
