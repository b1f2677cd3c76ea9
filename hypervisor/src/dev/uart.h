/*
 * A guest's serial port: the ns16550a of common/device/uart16550.h. Input waits in a queue that is
 * larger than the chip's FIFO.
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
/* Queues an input byte; false if the queue is full. */
bool uart_receive(struct uart *uart, uint8_t byte);
/* Takes the next queued byte without the registers; -1: none. */
int uart_take(struct uart *uart);

#endif
