/*
 * A guest's serial port: the ns16550a of common/device/uart16550.h. What comes in waits in a queue
 * deeper than the chip's.
 */
#ifndef DEV_UART_H
#define DEV_UART_H

#include "common/device/uart16550.h"
#include "dev/device.h"

enum { UART_SIZE = 0x100, UART_QUEUE = 256 };

struct uart {
    struct uart16550 chip;
    uint8_t queue[UART_QUEUE];
    unsigned queue_head, queue_count;
    struct irq_line irq;
    bool (*send)(void *owner, char c); /* false: no room, try again */
    void *owner;
    bool holding; /* the byte in `held` waits for room */
    uint8_t held;
};

extern const struct device_ops uart_ops; /* state: struct uart */

void uart_init(struct uart *uart, struct irq_line irq, bool (*send)(void *owner, char c),
               void *owner);
void uart_reset(struct uart *uart);
/* A byte from outside; false where the queue is full. */
bool uart_receive(struct uart *uart, uint8_t byte);
/* The next byte that waits, past the registers; -1 for none. */
int uart_take(struct uart *uart);

#endif
