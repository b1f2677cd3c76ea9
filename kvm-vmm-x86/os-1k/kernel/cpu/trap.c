/* Sends each trap to the part of the kernel that it is for, and decides who runs after it. The
 * interrupt controllers are a pair of 8259A as a PC wires them (Intel 8259A data sheet,
 * initialization command words). */
#include "common/x86.h"
#include "kernel/cpu/cpu.h"

#include "kernel/device/device.h"
#include "kernel/process/process.h"

enum { LINE_CLOCK = 0, LINE_PAIR = 2, LINE_UART = 4, LINES = 16 };
enum { FIRST = 0x20, SECOND = 0xa0 }; /* command ports; the data port follows */
enum {
    ICW1_INIT = 0x11,     /* edge triggered, a pair, ICW4 follows */
    ICW4_AUTO_END = 0x03, /* for an 8086; acknowledging an interrupt also ends it */
};

static void (*const interrupt_handlers[LINES])(void) = {
    [LINE_CLOCK] = clock_interrupt,
    [LINE_UART] = console_interrupt,
};

static void init_controller(uint16_t port, uint8_t vector, uint8_t wiring, uint8_t mask)
{
    x86_out8(port, ICW1_INIT);
    x86_out8(port + 1, vector);
    x86_out8(port + 1, wiring);
    x86_out8(port + 1, ICW4_AUTO_END);
    x86_out8(port + 1, mask);
}

void trap_allow_interrupts(void)
{
    init_controller(FIRST, VECTOR_IRQ_BASE, 1 << LINE_PAIR,
                    (uint8_t) ~(1 << LINE_CLOCK | 1 << LINE_UART));
    init_controller(SECOND, VECTOR_IRQ_BASE + 8, LINE_PAIR, 0xff);
}

struct trap_frame *trap_handle(struct trap_frame *frame)
{
    bool from_program = (frame->cs & 3) != 0;
    unsigned line = frame->vector - VECTOR_IRQ_BASE;

    if (frame->vector == VECTOR_SYSTEM_CALL)
        return syscall_handle(frame);
    if (frame->vector < VECTOR_IRQ_BASE && !from_program)
        fault_of_kernel(frame);
    if (frame->vector < VECTOR_IRQ_BASE)
        fault_of_program(frame);
    else if (line < LINES && interrupt_handlers[line] != NULL)
        interrupt_handlers[line]();
    return from_program ? process_next() : frame; /* its time slice may be over, or its life */
}
