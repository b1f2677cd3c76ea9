/* The serial port: 16550A at 0x3f8, line 4. All input comes through it, and without hypercalls the
 * output goes through it as well. */
#ifndef KERNEL_DEVICE_UART_H
#define KERNEL_DEVICE_UART_H

#include <stdbool.h>
#include <stddef.h>

/* Output works from then on; input once uart_receive lets it in. */
void uart_init(void);
void uart_interrupt(void);
void uart_write(const char *text, size_t length);

/* Lets received bytes interrupt, or leaves them in the device: its sender waits then. */
void uart_receive(bool on);

/* False once the other side has hung up, and no byte will ever come again. */
bool uart_connected(void);

#endif
