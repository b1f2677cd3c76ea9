/* Registers and their bits: abi/uart16550.h. */
#include "common/pc/serial.h"

#include "abi/uart16550.h"
#include "common/x86.h"

enum { DIVISOR_115200 = 1, PATTERN = 0x5a, LOOKS = 200000 };

static unsigned depth = 1; /* bytes that an empty transmitter takes */
static unsigned room;      /* the transmitter takes at least this many bytes now */

static uint8_t in(unsigned reg)
{
    return x86_in8((uint16_t)(UART_COM1 + reg));
}

static void out(unsigned reg, uint8_t value)
{
    x86_out8((uint16_t)(UART_COM1 + reg), value);
}

bool pc_serial_init(void)
{
    out(UART_SCR, PATTERN);
    if (in(UART_SCR) != PATTERN)
        return false;
    out(UART_IER, 0);
    out(UART_LCR, UART_LCR_DLAB);
    out(UART_DATA, DIVISOR_115200);
    out(UART_IER, 0);
    out(UART_LCR, UART_LCR_8_BITS);
    out(UART_FCR, UART_FCR_ENABLE | UART_FCR_CLEAR_RX | UART_FCR_CLEAR_TX);
    if ((in(UART_IIR)&UART_IIR_FIFOS) == UART_IIR_FIFOS) /* older chips' FIFOs do not work */
        depth = UART_FIFO_SIZE;
    out(UART_MCR, UART_MCR_DTR | UART_MCR_RTS | UART_MCR_OUT2);
    return true;
}

static void wait_for(uint8_t bit)
{
    for (int look = 0; look < LOOKS && !(in(UART_LSR)&bit); look++)
        x86_pause();
}

/* Reads the line status only when the FIFO may be full: under a hypervisor each read is an exit. */
void pc_serial_put(char c)
{
    if (room == 0) {
        wait_for(UART_LSR_THRE);
        room = depth;
    }
    room--;
    out(UART_DATA, (uint8_t)c);
}

void pc_serial_flush(void)
{
    wait_for(UART_LSR_TEMT);
}

int pc_serial_get(void)
{
    return in(UART_LSR)&UART_LSR_DR ? in(UART_DATA) : -1;
}

void pc_serial_interrupt(bool on)
{
    out(UART_IER, on ? UART_IER_RDA : 0);
}
