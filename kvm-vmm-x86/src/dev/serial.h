/*
 * A 16550A UART: National Semiconductor PC16550D data sheet, section 8.
 *
 * Both directions, FIFOs, loopback, modem lines and the interrupt line. Transmission takes no time.
 * The receive FIFO is a window on the guest's input queue: bytes enter it when they are looked at,
 * so no byte is ever overrun, and emptying the FIFO loses none that the guest has not seen.
 *
 * The window is shut until the guest listens: while the receive interrupt is enabled, once it polls
 * (eight reads of LSR or the data register with no access but to MSR between), or with `rep insb`.
 * Clearing the receive FIFO ends the listening that polls began. So a driver may probe and reset
 * the UART, which throws away what a real one has received by then, and piped input is all there
 * when it is ready for it.
 */
#ifndef DEV_SERIAL_H
#define DEV_SERIAL_H

#include "dev/backend.h"
#include "dev/bus.h"
#include "host/threads.h"

#define SERIAL_PORT 0x3f8 /* COM1 */
enum { SERIAL_PORTS = 8, SERIAL_IRQ = 4, SERIAL_FIFO_SIZE = 16 };

struct serial {
    const struct backend *backend;
    bool ctrl_d_at_end; /* deliver the end of input as one Ctrl-D */
    struct lock lock;   /* protects everything below */
    uint8_t ier, fcr, lcr, mcr, scr;
    uint8_t divisor_low, divisor_high;
    bool thr_empty_pending; /* a "transmitter empty" interrupt not yet acknowledged */
    bool end_delivered;
    bool line;                      /* the interrupt line as last set */
    uint8_t polls;                  /* reads of LSR or data in a row; at its limit: it listens */
    uint8_t loop[SERIAL_FIFO_SIZE]; /* what loopback has sent and not yet received */
    uint8_t loop_count;
    bool overrun;
};

extern const struct bus_ops serial_ops;

void serial_init(struct serial *serial, const struct backend *backend, bool ctrl_d_at_end);

/* Input has arrived or ended: raises the interrupt line where the guest asked for it. Callable from
 * any thread. */
void serial_input_ready(struct serial *serial);

#endif
