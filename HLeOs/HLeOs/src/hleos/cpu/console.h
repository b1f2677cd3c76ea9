/*
 * The way out for what is said where nothing may wait: panics and the reports of exceptions. The
 * console proper, iostream.h, stands far above; it attaches itself here. Before that, what is said
 * is lost.
 */
#ifndef HLEOS_CPU_CONSOLE_H
#define HLEOS_CPU_CONSOLE_H

#include "common/fmt.h"

struct console {
    /* Writes at once, without waiting for any lock, between begin() and end(); these nest. */
    void (*begin)(void);
    void (*write)(const char *text, size_t length);
    void (*end)(void);
    void (*flush)(void); /* waits until all has left, within reason */
};

void console_attach(const struct console *console);

void console_begin(void);
void console_end(void);
/* Prints a line, between the two. */
void console_say(const char *format, ...) FMT_PRINTF(1, 2);
void console_flush(void);

#endif
