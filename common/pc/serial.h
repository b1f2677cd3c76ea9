/* The first serial port of a PC, a 16550A: National Semiconductor PC16550D data sheet, section 8.
 */
#ifndef COMMON_PC_SERIAL_H
#define COMMON_PC_SERIAL_H

#include <stdbool.h>

/* Sets it to 115,200 baud, 8 bits, with FIFOs where they work, and no interrupts; false if there is
 * no port. Without this call pc_serial_put works if firmware has set the port up. */
bool pc_serial_init(void);

/* Sends a byte. Waits, with a limit, until the port has room; if it never has, the byte is lost. */
void pc_serial_put(char c);

/* Waits, with a limit, until all bytes have been sent. */
void pc_serial_flush(void);

/* Takes a byte that was received, or returns -1. */
int pc_serial_get(void);

/* Whether a byte that is received raises interrupt line 4. */
void pc_serial_interrupt(bool on);

#endif
