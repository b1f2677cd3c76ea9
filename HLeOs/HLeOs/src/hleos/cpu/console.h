/*
 * Output that must not wait: panics and reports of exceptions, with interrupts off. The console
 * itself, iostream.h, is in a higher layer and attaches its functions here; output before that is
 * lost.
 */
#ifndef HLEOS_CPU_CONSOLE_H
#define HLEOS_CPU_CONSOLE_H

#include <stdbool.h>

#include "common/fmt.h"

struct console {
    /* Writes at once: if console_is_urgent(), it waits for a lock only a short time. */
    void (*write)(const char *text, size_t length);
    void (*flush)(void); /* waits, with a limit, until all has been sent */
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
