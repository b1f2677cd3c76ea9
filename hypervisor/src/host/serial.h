/*
 * The machine's serial port (port.h), driven directly once the device tree has named it. What is
 * sent waits in a ring for the line, which may be held up for as long as it likes. What comes in is
 * fetched by the machine's PLIC, or 50 times a second where there is no PLIC, and handed on where
 * the hart holds no lock.
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

/* From now on this hart hears of what comes in; serial_deliver() calls `receive` for each byte. */
void serial_listen(void (*receive)(uint8_t byte));
void serial_deliver(void);

/* The hart's timer interrupt; when that must come next, in host time (~0:
 * whenever). */
void serial_poll(void);
uint64_t serial_next_poll(void);

#endif
