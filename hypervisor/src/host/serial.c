/* The machine's serial port; see serial.h. Registers: TL16C550C data sheet, table 3. The firmware
 * has set the speed. */
#include "host/serial.h"

enum { DATA = 0, IER = 1, FCR = 2, LSR = 5 };
enum { IER_RECEIVE = 1, FCR_ENABLE = 1, LSR_DATA_READY = 1, LSR_THR_EMPTY = 0x20 };
enum { FIFO_SIZE = 16, POLLS_MAX = 1000000 };

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
    put(FCR, FCR_ENABLE);
}

/* Waits for room, but not for ever: a line that is held up loses bytes instead of the machine. */
void serial_write(const char *text, size_t length)
{
    while (length > 0) {
        for (int polls = 0; (get(LSR) & LSR_THR_EMPTY) == 0 && polls < POLLS_MAX; polls++)
            ;
        for (int room = FIFO_SIZE; room > 0 && length > 0; room--, length--)
            put(DATA, (uint8_t)*text++);
    }
}

void serial_enable_receive_interrupt(void)
{
    put(IER, IER_RECEIVE);
}

int serial_read(void)
{
    return base != NULL && (get(LSR) & LSR_DATA_READY) != 0 ? get(DATA) : -1;
}
