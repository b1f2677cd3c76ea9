/*
 * The output of all guests, under one lock.
 *
 * With one guest, what comes out is exactly the guest's bytes. With several, whole lines are kept
 * together, each in the colour of its guest (red, green, blue, yellow). A line not yet ended is
 * shown at once where the guest prompts: when it reads, when it stops for a moment, and when it
 * ends.
 */
#ifndef CONSOLE_H
#define CONSOLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CONSOLE_TICK_MS = 25 };

struct console_config {
    unsigned guests;
    bool color;    /* wrap each guest's output in its colour */
    bool terminal; /* a person looks on: show a prompt that waits even if other guests go on
                      printing */
    /* Sees the guests' bytes, in order and under the lock; or NULL. */
    void (*tap)(unsigned guest, const uint8_t *bytes, size_t count);
    /* Writes to file descriptor 1 or 2; 0 or a negative errno. */
    int (*write)(int fd, const void *bytes, size_t count);
    /* Asks that console_tick be called every CONSOLE_TICK_MS, until it says that it need not. */
    void (*want_ticks)(void);
};

void console_init(const struct console_config *config);

/* Guest output: a byte, or several that stay together. */
void vcpu_putchar(unsigned guest, uint8_t byte);
void vcpu_write(unsigned guest, const uint8_t *bytes, size_t count);

/* The VMM's own words about a guest, to standard error, in the guest's colour. A whole line,
 * without its newline. */
void vcpu_printf(unsigned guest, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The VMM's own words about no guest in particular. */
void console_printf(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Shows what the guest has printed of a line so far. */
void console_flush(unsigned guest);

/* Shows lines begun that have not grown since the last tick; true if there must be another. */
bool console_tick(void);

/* 0, or the negative errno that standard output last failed with. Nothing more is written to it
 * then. */
int console_failure(void);

#endif
