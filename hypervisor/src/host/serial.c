/* The machine's serial port; see serial.h. The firmware has set the speed. */
#include "host/serial.h"

#include "abi/uart16550.h"

enum { POLLS_MAX = 1000000 };

static volatile uint8_t *base;
static unsigned shift;

static uint8_t get(unsigned reg)
{
    return base[(size_t)reg << shift];
}

static void put(unsigned reg, uint8_t value)
{
    base[(size_t)reg << shift] = value;
}

void serial_init(uint64_t address, unsigned reg_shift)
{
    base = (volatile uint8_t *)address;
    shift = reg_shift;
    put(UART_FCR, UART_FCR_ENABLE);
}

/* Waits for room, but not for ever: a line that is held up loses bytes instead of the machine. */
void serial_write(const char *text, size_t length)
{
    while (length > 0) {
        for (int polls = 0; (get(UART_LSR) & UART_LSR_THRE) == 0 && polls < POLLS_MAX; polls++)
            ;
        for (int room = UART_FIFO_SIZE; room > 0 && length > 0; room--, length--)
            put(UART_DATA, (uint8_t)*text++);
    }
}

void serial_enable_receive_interrupt(void)
{
    put(UART_IER, UART_IER_RDA);
}

int serial_read(void)
{
    return base != NULL && (get(UART_LSR) & UART_LSR_DR) != 0 ? get(UART_DATA) : -1;
}
