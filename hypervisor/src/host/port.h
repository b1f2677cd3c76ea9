/*
 * The machine's serial port as a chip: ns16550a and its kin with whatever width and distance of
 * registers the device tree tells, SiFive's UART, or, where the machine has neither, the firmware's
 * console. The firmware has set the speed. No lock: serial.c has one.
 */
#ifndef HOST_PORT_H
#define HOST_PORT_H

#include "host/machine.h"

/* Takes the machine's port: makes it ready for bytes both ways. */
void port_open(const struct machine_uart *uart);
/* Whether its bytes can be announced by an interrupt; and that they are, from now on. */
bool port_can_interrupt(void);
void port_interrupt(void);
/* Sends some of the bytes, as many as it takes without waiting; the firmware may wait for the line
 * at each of them. */
size_t port_send(const char *bytes, size_t count);
/* How many bytes may be sent in a row with interrupts off. */
size_t port_burst(void);
/* The next byte that came in, or -1. */
int port_receive(void);

#endif
