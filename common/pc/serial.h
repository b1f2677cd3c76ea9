/* The first serial port of a PC, a 16550A: National Semiconductor PC16550D data sheet, section 8.
 */
#ifndef COMMON_PC_SERIAL_H
#define COMMON_PC_SERIAL_H

#include <stdbool.h>

/* Sets it to 115,200 baud, 8 bits, with FIFOs where they work, and no interrupts; false if there is
 * none. Without that, a byte can be put if firmware has set it up. */
bool pc_serial_init(void);

/* Waits, with a limit, until there is room: a port that never empties loses text and blocks no
 * caller.
 */
void pc_serial_put(char c);

/* Waits, with a limit, until all has left. */
void pc_serial_flush(void);

/* Takes a byte that was received, or returns -1. */
int pc_serial_get(void);

/* Whether a byte that is received raises interrupt line 4. */
void pc_serial_interrupt(bool on);

#endif
