/* The machine's serial port (ns16550a), driven directly once the device tree has named it. */
#ifndef HOST_SERIAL_H
#define HOST_SERIAL_H

#include "lib/types.h"

void serial_init(uint64_t base, unsigned shift);
void serial_write(const char *text, size_t length);
void serial_enable_receive_interrupt(void);
/* The next byte that came in, or -1. */
int serial_read(void);

#endif
