/* The machine's serial port (ns16550a), driven directly once the device tree has named it. */
#ifndef HOST_UART_H
#define HOST_UART_H

#include "lib/types.h"

void uart_init(uint64_t base, unsigned shift);
void uart_write(const char *text, size_t length);
void uart_enable_receive_interrupt(void);
/* The next byte that came in, or -1. */
int uart_read(void);

#endif
