/*
 * The way out for what is said where nothing may wait: panics and the reports of exceptions, with
 * interrupts off. The console proper, iostream.h, stands far above; it attaches itself here. Before
 * that, what is said is lost.
 */
#ifndef HLEOS_CPU_CONSOLE_H
#define HLEOS_CPU_CONSOLE_H

#include <stdbool.h>

#include "common/fmt.h"

struct console {
    /* Writes at once: where console_is_urgent(), no lock is waited for longer than a little. */
    void (*write)(const char *text, size_t length);
    void (*flush)(void); /* waits until all has left, within reason */
};

void console_attach(const struct console *console);

/* Between the two, this processor writes before all others; they nest. */
void console_begin(void);
void console_end(void);
bool console_is_urgent(void);
/* Prints a line, between the two. */
void console_say(const char *format, ...) FMT_PRINTF(1, 2);
void console_flush(void);

#endif
