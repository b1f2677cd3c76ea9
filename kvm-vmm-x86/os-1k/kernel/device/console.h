/* The console: where all text comes from and goes to. Input comes through the serial port. Output
 * is gathered and handed on when the processor has nothing better to do, at the next clock tick, or
 * when the buffer is full; so every prompt shows at once and yet costs one exit to the host at
 * most.
 */
#ifndef KERNEL_DEVICE_CONSOLE_H
#define KERNEL_DEVICE_CONSOLE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/fmt.h"

/* Sets up the serial port: from here on, output works. */
void console_init(void);

/* Lets input in, once it can interrupt: a key before that would be lost. Output takes the hypercall
 * from here on if the loader is the VMM that has it. */
void console_start(const char *loader);
bool console_has_hypercall(void);

void console_write(const char *text, size_t length);
void console_print(const char *format, ...) FMT_PRINTF(1, 2);
void console_flush(void);

/* Takes what the serial port received. */
void console_interrupt(void);

/* Takes the next byte that was typed, or -1 if there is none now. */
int console_read(void);

/* True if nothing is left to read and nothing will ever come. */
bool console_ended(void);

#endif
