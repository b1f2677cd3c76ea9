/* The 16550A (National Semiconductor PC16550D data sheet, section 8). */
#include "kernel/device/uart.h"

#include "kernel/cpu/x86.h"
#include "kernel/device/console.h"

enum {
    DATA = 0x3f8,
    INTERRUPT_ENABLE = DATA + 1,
    FIFO_CONTROL = DATA + 2,
    LINE_CONTROL = DATA + 3,
    MODEM_CONTROL = DATA + 4,
    LINE_STATUS = DATA + 5,
    MODEM_STATUS = DATA + 6,

    IER_RECEIVED = 0x01,
    FCR_CLEAR_AND_ENABLE = 0x07,
    LCR_8_BITS = 0x03,
    LCR_DIVISOR = 0x80,
    MCR_READY = 0x0b, /* DTR, RTS, and OUT2: on a PC that lets the interrupt through */
    LSR_RECEIVED = 0x01,
    LSR_EMPTY = 0x20,
    MSR_CARRIER = 0x80,

    FIFO_SIZE = 16,
    DIVISOR_115200 = 1,
    SPIN_LIMIT = 1000000, /* a device that never empties loses output, it does not stop us */
};

static bool has_carrier; /* some serial ports never report one: theirs cannot be lost */

void uart_init(void)
{
    x86_out8(INTERRUPT_ENABLE, 0);
    x86_out8(LINE_CONTROL, LCR_DIVISOR);
    x86_out8(DATA, DIVISOR_115200);
    x86_out8(INTERRUPT_ENABLE, 0);
    x86_out8(LINE_CONTROL, LCR_8_BITS);
    x86_out8(FIFO_CONTROL, FCR_CLEAR_AND_ENABLE);
    x86_out8(MODEM_CONTROL, MCR_READY);
    has_carrier = (x86_in8(MODEM_STATUS) & MSR_CARRIER) != 0;
}

void uart_receive(bool on)
{
    x86_out8(INTERRUPT_ENABLE, on ? IER_RECEIVED : 0);
}

void uart_interrupt(void)
{
    while (console_has_room() && (x86_in8(LINE_STATUS) & LSR_RECEIVED))
        console_input((char)x86_in8(DATA));
    if (!console_has_room())
        uart_receive(false);
}

bool uart_connected(void)
{
    return !has_carrier || (x86_in8(MODEM_STATUS) & MSR_CARRIER) != 0;
}

static void wait_until_empty(void)
{
    for (int spins = 0; spins < SPIN_LIMIT && !(x86_in8(LINE_STATUS) & LSR_EMPTY); spins++)
        ;
}

void uart_write(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (i % FIFO_SIZE == 0)
            wait_until_empty();
        x86_out8(DATA, (uint8_t)text[i]);
    }
}
