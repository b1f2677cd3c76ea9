/* The console: where all text comes from and goes to. Output is gathered and handed on when the
 * processor has nothing better to do, at the next clock tick, or when the buffer is full; so every
 * prompt shows at once and yet costs one exit to the host at most. */
#ifndef KERNEL_DEVICE_CONSOLE_H
#define KERNEL_DEVICE_CONSOLE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/fmt.h"

/* Chooses the way out: a hypercall if the loader is the VMM that has it, else the serial port. */
void console_init(const char *loader);
const char *console_name(void);

void console_write(const char *text, size_t length);
void console_print(const char *format, ...) FMT_PRINTF(1, 2);
void console_flush(void);

/* Takes a byte from the keyboard; from the interrupt handler, which asks for room first. */
void console_input(char c);
bool console_has_room(void);

/* Takes the next byte that was typed, or -1 if there is none now. */
int console_read(void);

/* True if nothing is left to read and nothing will ever come. */
bool console_ended(void);

#endif
