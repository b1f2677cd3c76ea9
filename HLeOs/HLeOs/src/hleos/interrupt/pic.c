/* Intel 8259A datasheet: initialisation words ICW1-4, operation words OCW1-3. */
#include "HLeOs/HLeOs/src/hleos/interrupt/pic.h"

#include "HLeOs/HLeOs/src/hleos/asm.h"
#include "HLeOs/HLeOs/src/hleos/interrupt.h"

enum { MASTER = 0x20, SLAVE = 0xa0, DATA = 1, LINES = 16, CASCADE = 2 };
enum { ICW1_INIT_ICW4 = 0x11, ICW4_8086 = 0x01, OCW2_END = 0x20, OCW3_READ_ISR = 0x0b };

static uint16_t mask = 0xffff;

static void write_mask(void)
{
    asm_outb(MASTER + DATA, (uint8_t)mask);
    asm_outb(SLAVE + DATA, (uint8_t)(mask >> 8));
}

void pic_init(void)
{
    asm_outb(MASTER, ICW1_INIT_ICW4);
    asm_outb(SLAVE, ICW1_INIT_ICW4);
    asm_outb(MASTER + DATA, INTERRUPT_IRQ_BASE);
    asm_outb(SLAVE + DATA, INTERRUPT_IRQ_BASE + 8);
    asm_outb(MASTER + DATA, 1 << CASCADE); /* a bit mask here, */
    asm_outb(SLAVE + DATA, CASCADE);       /* a number there */
    asm_outb(MASTER + DATA, ICW4_8086);
    asm_outb(SLAVE + DATA, ICW4_8086);
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
    asm_outb(port, OCW3_READ_ISR);
    return asm_inb(port) >> line & 1;
}

/* A line that drops before it is acknowledged appears as the chip's line 7, with nothing in
 * service. The slave's phantom still went through the master, which wants its end. */
static bool spurious(unsigned vector)
{
    unsigned line = vector - INTERRUPT_IRQ_BASE;

    if (line == 7)
        return !in_service(MASTER, 7);
    if (line == 15 && !in_service(SLAVE, 7)) {
        asm_outb(MASTER, OCW2_END);
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
        asm_outb(SLAVE, OCW2_END);
    asm_outb(MASTER, OCW2_END);
}

const struct interrupt_controller *pic_controller(void)
{
    static const struct interrupt_controller pic = {
        .name = "PIC (two 8259A)", .enable = enable, .spurious = spurious, .end = end};

    return &pic;
}
