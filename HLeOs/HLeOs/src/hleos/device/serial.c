/* National Semiconductor PC16550D datasheet, section 8; see serial.h. */
#include "HLeOs/HLeOs/src/hleos/device/serial.h"

#include <stdint.h>

#include "HLeOs/HLeOs/src/hleos/interrupt.h"
#include "common/x86.h"

enum { COM1 = 0x3f8, LINE = 4 };
enum {
    DATA = COM1,
    IER = COM1 + 1,
    FCR = COM1 + 2, /* written */
    IIR = COM1 + 2, /* read */
    LCR = COM1 + 3,
    MCR = COM1 + 4,
    LSR = COM1 + 5,
    SCRATCH = COM1 + 7
};
enum { IER_RECEIVED = 1, LCR_8N1 = 3, LCR_DLAB = 0x80, MCR_DTR_RTS_OUT2 = 0x0b };
enum {
    FCR_ENABLE_CLEAR = 7,
    IIR_FIFO = 0xc0,
    FIFO_DEPTH = 16,
    LSR_RECEIVED = 1,
    LSR_THRE = 0x20,
    LSR_TEMT = 0x40
};
enum { LOOKS = 200000, BURST_MAX = 256 };

static bool present;
static unsigned depth = 1; /* bytes that an empty transmitter takes */
static unsigned room;      /* bytes that it takes now, at least */
static void (*receiver)(unsigned char byte);

bool serial_init(void)
{
    x86_out8(SCRATCH, 0x5a);
    if (x86_in8(SCRATCH) != 0x5a)
        return false;
    x86_out8(IER, 0);
    x86_out8(LCR, LCR_DLAB);
    x86_out8(DATA, 1); /* divisor 1: 115,200 baud */
    x86_out8(IER, 0);
    x86_out8(LCR, LCR_8N1);
    x86_out8(FCR, FCR_ENABLE_CLEAR);
    if ((x86_in8(IIR) & IIR_FIFO) == IIR_FIFO) /* older chips have no FIFO that works */
        depth = FIFO_DEPTH;
    x86_out8(MCR, MCR_DTR_RTS_OUT2); /* OUT2 lets the interrupt line through on a PC */
    present = true;
    return true;
}

static void wait_for(uint8_t bit)
{
    for (int look = 0; look < LOOKS && !(x86_in8(LSR) & bit); look++)
        x86_pause();
}

/* Looks at the line only when the FIFO may be full: under a hypervisor each look is an exit. */
static void put(char c)
{
    if (room == 0) {
        wait_for(LSR_THRE);
        room = depth;
    }
    room--;
    x86_out8(DATA, (uint8_t)c);
}

void serial_write(const char *text, size_t length)
{
    if (!present)
        return;
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '\n')
            put('\r');
        put(text[i]);
    }
}

void serial_flush(void)
{
    if (present)
        wait_for(LSR_TEMT);
}

static void received(void *context)
{
    (void)context;
    for (int i = 0; i < BURST_MAX && (x86_in8(LSR) & LSR_RECEIVED); i++)
        receiver(x86_in8(DATA));
}

void serial_start_input(void (*receive)(unsigned char byte))
{
    if (!present)
        return;
    receiver = receive;
    interrupt_attach_line(LINE, "serial", received, NULL);
    x86_out8(IER, IER_RECEIVED);
}
