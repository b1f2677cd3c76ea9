/* The first serial port: a 16550A, 115,200 baud, 8N1. Sends by waiting, receives by interrupt. */
#ifndef HLEOS_DEVICE_SERIAL_H
#define HLEOS_DEVICE_SERIAL_H

#include <stdbool.h>
#include <stddef.h>

/* False if there is no port; the functions below then do nothing. */
bool serial_init(void);
void serial_write(const char *text, size_t length); /* "\n" goes out as "\r\n" */
/* Waits, with a limit, until the last byte has been sent. */
void serial_flush(void);
/* Calls `receive` for each byte that arrives, in an interrupt. */
void serial_start_input(void (*receive)(unsigned char byte));

#endif
