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
    bool ctrl_d_at_end; /* deliver the end of input as one Ctrl-D */
    struct lock lock;   /* protects everything below */
    struct irq_line irq;
    struct uart16550 uart;
};

extern const struct bus_ops serial_ops;

void serial_init(struct serial *serial, const struct backend *backend, struct irq_line irq,
                 bool ctrl_d_at_end);

/* Input has arrived or ended: raises the interrupt line where the guest asked for it. Callable from
 * any thread. */
void serial_input_ready(struct serial *serial);

#endif
