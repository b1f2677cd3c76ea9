/* Sends each trap to the part of the kernel that it is for. Interrupts stay off throughout, so the
 * kernel is never entered twice, and needs no locks; only the idle loop lets them in. */
#include "kernel/cpu/trap.h"

#include "kernel/cpu/descriptors.h"
#include "kernel/cpu/fault.h"
#include "kernel/device/clock.h"
#include "kernel/device/pic.h"
#include "kernel/device/uart.h"
#include "kernel/process/scheduler.h"
#include "kernel/process/syscall.h"

/* Device interrupts by their line on the controller. */
static void (*const interrupt_handlers[16])(void) = {
    [PIC_LINE_CLOCK] = clock_interrupt,
    [PIC_LINE_UART] = uart_interrupt,
};

static void handle_interrupt(const struct trap_frame *frame)
{
    unsigned line = frame->vector - VECTOR_IRQ_BASE;

    pic_end_of_interrupt(line); /* first: the handler may end this very process */
    if (interrupt_handlers[line] != NULL)
        interrupt_handlers[line]();
    if (!trap_from_program(frame))
        return;
    if (process_current()->doomed)
        process_exit(STATUS_KILLED);
    scheduler_yield(); /* the interrupt may have woken somebody, or the time slice is over */
}

bool trap_from_program(const struct trap_frame *frame)
{
    return (frame->cs & 3) != 0;
}

void trap_handle(struct trap_frame *frame)
{
    if (frame->vector == VECTOR_SYSTEM_CALL)
        syscall_handle(frame);
    else if (frame->vector >= VECTOR_IRQ_BASE)
        handle_interrupt(frame);
    else
        fault_handle(frame);
}
