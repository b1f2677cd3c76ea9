/*
 * The machine's serial port as a chip: ns16550a and compatible chips with the register width and
 * spacing of the device tree, SiFive's UART, or, without either, the firmware's console. The
 * firmware has set the speed. There is no lock here: serial.c has one.
 */
#ifndef HOST_PORT_H
#define HOST_PORT_H

#include "host/machine.h"

/* Opens the machine's port for input and output. */
void port_open(const struct machine_uart *uart);
/* Whether the port can interrupt for input; and enables that interrupt. */
bool port_can_interrupt(void);
void port_interrupt(void);
/* Sends some of the bytes, as many as it takes without waiting; the firmware may wait for the line
 * at each of them. */
size_t port_send(const char *bytes, size_t count);
/* The most bytes to send in a row with interrupts off. */
size_t port_burst(void);
/* The next byte that came in, or -1. */
int port_receive(void);

#endif
