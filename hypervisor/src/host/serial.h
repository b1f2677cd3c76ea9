/*
 * The machine's serial port (port.h), driven directly once the device tree has named it. Output
 * waits in a ring until the line takes it. Input is read at an interrupt, or 50 times a second
 * without one, and delivered when the hart holds no lock.
 */
#ifndef HOST_SERIAL_H
#define HOST_SERIAL_H

#include "lib/types.h"

void serial_init(void);
/* How many of the bytes the ring had room for. */
size_t serial_write(const char *text, size_t length);
size_t serial_room(void);
/* Waits until all was sent, for a second at most. */
void serial_flush(void);

/* From now on this hart reads the input; serial_deliver() calls `receive` for each byte. */
void serial_listen(void (*receive)(uint8_t byte));
void serial_deliver(void);

/* Call serial_poll() at the hart's timer interrupt; serial_next_poll() is the host time by which
 * the next one must come, ~0: any. */
void serial_poll(void);
uint64_t serial_next_poll(void);

#endif
