/* Passes each trap to the part of the kernel that handles it, and chooses what runs next. */
#include "abi/uart16550.h"
#include "common/pc/pic.h"
#include "common/pc/pit.h"
#include "kernel/cpu/cpu.h"
#include "kernel/device/device.h"
#include "kernel/process/process.h"
#include "kernel/process/syscall.h"

enum { CONTROL_C = 0x03 };

static void clock_interrupt(void)
{
    clock_tick();
    console_flush();
    process_tick();
}

/* Ctrl-C ends the foreground program and all that it has started. The shell gets it as a key. */
static void console_interrupt(void)
{
    int c;

    while ((c = console_receive()) >= 0) {
        if (c == CONTROL_C && process_foreground()->pid != FIRST_PROCESS)
            process_end_all(process_foreground(), STATUS_KILLED);
        else
            console_keep((char)c);
    }
    process_wake(PROCESS_READING);
}

static void (*const interrupt_handlers[PC_PIC_LINES])(void) = {
    [PC_PIT_LINE] = clock_interrupt,
    [UART_COM1_IRQ] = console_interrupt,
};

void trap_allow_interrupts(void)
{
    pc_pic_init(VECTOR_IRQ_BASE, PC_PIC_AUTO_END);
    pc_pic_mask((uint16_t) ~(1 << PC_PIT_LINE | 1 << UART_COM1_IRQ));
}

/* The program that caused an exception is killed, with a message that names it. */
static void fault_of_program(const struct trap_frame *frame)
{
    console_print("\n%s (process %d) was stopped: ", process_current->name, process_current->pid);
    fault_print(frame);
    process_end(process_current, STATUS_FAULT + (int)frame->vector);
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
    else if (line < PC_PIC_LINES && interrupt_handlers[line] != NULL)
        interrupt_handlers[line]();
    return from_program ? process_next() : frame; /* its time slice may be over, or its life */
}
