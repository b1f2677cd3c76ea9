/*
 * The first serial port of a PC: the UART of common/device/uart16550.h, with the console's output
 * and the guest's input queue at the other end.
 */
#ifndef DEV_SERIAL_H
#define DEV_SERIAL_H

#include "common/device/uart16550.h"
#include "dev/backend.h"
#include "dev/bus.h"
#include "dev/irq.h"
#include "host/threads.h"

enum { SERIAL_PORT = UART_COM1, SERIAL_PORTS = 8, SERIAL_IRQ = UART_COM1_IRQ };

struct serial {
    const struct backend *backend;
    bool ctrl_d_at_end;   /* deliver the end of input as one Ctrl-D */
    struct lock lock;     /* protects everything below */
    bool moved;           /* the guest has printed or read since the last look */
    bool end_is_due;      /* the end of input is there for a guest that waits for the interrupt */
    unsigned quiet_looks; /* in a row */
    struct irq_line irq;
    struct uart16550 uart;
};

extern const struct bus_ops serial_ops;

void serial_init(struct serial *serial, const struct backend *backend, struct irq_line irq,
                 bool ctrl_d_at_end);

/* Input has arrived or ended: raises the interrupt line if the guest has enabled that. Callable
 * from any thread. After a load, too: what waits now may differ from what waited then. */
void serial_input_ready(struct serial *serial);

/*
 * Called every SERIAL_LOOK_MS once the guest's input has ended and was read. A guest that waits for
 * the receive interrupt gets the Ctrl-D when it has neither printed nor read for some looks: before
 * that a program that starts may throw it away, as a shell does that makes its terminal raw. It
 * gets another one each time that it has continued after the last and is quiet again.
 */
enum { SERIAL_LOOK_MS = 100, SERIAL_QUIET_LOOKS = 4 };
void serial_look_for_end(struct serial *serial);

#endif
