/*
 * A guest's serial port: an ns16550a with its FIFO (TL16C550C data sheet). What is sent leaves at
 * once, so the transmitter is always empty; what comes in waits in a queue deeper than the chip's.
 */
#ifndef DEV_UART_H
#define DEV_UART_H

#include "dev/device.h"

enum { UART_SIZE = 0x100, UART_QUEUE = 256 };

struct uart {
    uint8_t ier, lcr, mcr, scr, fcr, dll, dlm;
    bool thr_empty_pending; /* the transmitter-empty interrupt, until IIR is read */
    uint8_t queue[UART_QUEUE];
    unsigned queue_head, queue_count;
    struct irq_line irq;
    void (*send)(void *owner, char c);
    void *owner;
};

extern const struct device_ops uart_ops; /* state: struct uart */

void uart_reset(struct uart *uart);
/* A byte from outside; false where the queue is full. */
bool uart_receive(struct uart *uart, uint8_t byte);

#endif
