/* The user's terminal: raw while a guest reads it, and as it was on every way out. */
#ifndef HOST_TERMINAL_H
#define HOST_TERMINAL_H

#include <stdbool.h>

bool terminal_is(int fd);

/* Remembers how standard input's terminal is set, and arranges that a crash of this process
 * restores it. */
void terminal_init(void);

/* Sets the terminal raw (each key, also Ctrl-C, goes to the guest at once and without echo), or
 * restores it. True: this changed it. */
bool terminal_set_raw(bool raw);

/* Another process may have changed the settings: the next terminal_set_raw sets them in any
 * case. */
void terminal_forget(void);

/* For a program that ends at once: restores the terminal and writes the farewell. Callable from a
 * signal handler. */
void terminal_abandon(void);

/* What terminal_abandon writes to standard output: a constant text. "" for nothing. */
void terminal_set_farewell(const char *text);

/* The size of standard output's terminal; 25 by 80 if it does not say. */
void terminal_size(unsigned *rows, unsigned *columns);

#endif
