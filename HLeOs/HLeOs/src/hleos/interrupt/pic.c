/* Intel 8259A datasheet: operation words OCW1-3. */
#include "interrupt/pic.h"

#include "common/pc/pic.h"
#include "interrupt/controller.h"

enum { OCW2_END = 0x20, OCW3_READ_ISR = 0x0b };

static uint16_t mask = 0xffff;

void pic_init(void)
{
    pc_pic_init(INTERRUPT_IRQ_BASE, PC_PIC_PLAIN);
    pc_pic_mask(mask);
}

static void enable(unsigned line)
{
    if (line >= PC_PIC_LINES)
        return;
    mask &= (uint16_t) ~(1 << line);
    if (line >= 8)
        mask &= (uint16_t) ~(1 << PC_PIC_CASCADE);
    pc_pic_mask(mask);
}

static bool in_service(uint16_t port, unsigned line)
{
    x86_out8(port, OCW3_READ_ISR);
    return x86_in8(port) >> line & 1;
}

/* A line that drops before the acknowledgement appears as the chip's line 7, which is not in
 * service then. A spurious interrupt of the slave has still set the master's line, which needs its
 * EOI. */
static bool spurious(unsigned vector)
{
    unsigned line = vector - INTERRUPT_IRQ_BASE;

    if (line == 7)
        return !in_service(PC_PIC_FIRST, 7);
    if (line == 15 && !in_service(PC_PIC_SECOND, 7)) {
        x86_out8(PC_PIC_FIRST, OCW2_END);
        return true;
    }
    return false;
}

static void end(unsigned vector)
{
    unsigned line = vector - INTERRUPT_IRQ_BASE;

    if (line >= PC_PIC_LINES)
        return;
    if (line >= 8)
        x86_out8(PC_PIC_SECOND, OCW2_END);
    x86_out8(PC_PIC_FIRST, OCW2_END);
}

const struct interrupt_controller *pic_controller(void)
{
    static const struct interrupt_controller pic = {
        .name = "PIC (two 8259A)", .enable = enable, .spurious = spurious, .end = end};

    return &pic;
}
