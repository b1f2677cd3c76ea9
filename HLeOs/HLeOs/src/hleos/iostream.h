/*
 * The console: what is printed goes to the screen and the serial port, input from the keyboard and
 * the serial port comes through one queue. Lines of two threads are never mixed; a line printed in
 * an interrupt may come in the middle of another.
 */
#ifndef HLEOS_IOSTREAM_H
#define HLEOS_IOSTREAM_H

#include "common/fmt.h"

#define print(...)   iostream_print(__VA_ARGS__)
#define println(...) iostream_println(__VA_ARGS__)
#define getch()      iostream_getch()

/* Finds the serial port and the screen; print() works from here on. */
void iostream_init(void);
/* Starts keyboard and serial input; getch() works from here on. */
void iostream_init_input(void);

void iostream_print(const char *format, ...) FMT_PRINTF(1, 2);
/* The same and a line end. */
void iostream_println(const char *format, ...) FMT_PRINTF(1, 2);
void iostream_write(const char *text, size_t length);
/* A sink (common/fmt.h) that writes here. */
struct fmt_sink *iostream_sink(void);

/* Waits for a key: a character, or one of common/edit.h's edit_key. */
int iostream_getch(void);
/* The same, but -1 if thread_interrupt() ended the wait. */
int iostream_getch_interruptible(void);
/* A key if there is one, else -1. */
int iostream_try_getch(void);

#endif
