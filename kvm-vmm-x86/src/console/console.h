/*
 * The output of all guests.
 *
 * vCPUs put it into their guest's ring, which never waits; the main thread writes it, as much as
 * standard output takes. A guest whose ring is over its limit must not go on (console_is_full)
 * before it was drained.
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

#include "base/config.h"

enum { CONSOLE_TICK_MS = 25 };

/* The most that one call of vcpu_write may bring. */
enum { CONSOLE_WRITE_MAX = 16 * 1024 };

struct console_config {
    unsigned guests;
    unsigned cpus; /* of each guest: so many may write before they see that the ring is full */
    bool color;    /* wrap each guest's output in its colour */
    bool terminal; /* standard output is a terminal: show a prompt (an unfinished line) even if
                      other guests go on printing */
    bool same; /* standard error and standard output are the same file: both are kept in order */
    /* Writes to file descriptor 1 or 2: the count, -EAGAIN, or another negative errno. */
    int (*write)(int fd, const void *bytes, size_t count);
    /* From any thread: console_service has something to do. */
    void (*wake)(void);
    /* A guest that was full has room again. */
    void (*room)(unsigned guest);
};

void console_init(const struct console_config *config);

/* For vCPU threads. Guest output: a byte, or several that stay together. */
void vcpu_putchar(unsigned guest, uint8_t byte);
void vcpu_write(unsigned guest, const uint8_t *bytes, size_t count);
/* Why a guest must wait: too much is unread of its output, of the VMM's messages about it, or of
 * the output of its serial port or debug console (ports.h). Atomic: read before each entry. */
enum {
    CONSOLE_OUTPUT = 1 << 0,
    CONSOLE_WORDS = 1 << 1,
    CONSOLE_PORT = 1 << 2,
    CONSOLE_DEBUG = 1 << 3,
};
extern unsigned console_full[GUESTS_MAX];
void console_set_full(unsigned guest, unsigned reasons, bool full);
static inline unsigned console_why_full(unsigned guest)
{
    return __atomic_load_n(&console_full[guest], __ATOMIC_ACQUIRE);
}
static inline bool console_is_full(unsigned guest)
{
    return console_why_full(guest) != 0;
}
/* The guest waits for input: its unfinished line may be a prompt. */
void console_prompt(unsigned guest);

/* From any thread. The VMM's own words about a guest, to standard error, in the guest's colour. A
 * whole line, without its newline. */
void vcpu_printf(unsigned guest, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The VMM's own words about no guest in particular. */
void console_printf(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The functions below are for the main thread. Writes what can be written; true if it stopped
 * early, to give other events their turn. */
bool console_service(void);
/* Whether standard output or error (1, 2) is not ready for what there is to write. */
bool console_waits(int fd);
/* How many bytes are ready to be written, and can be. */
size_t console_backlog(void);
static inline bool console_is_written(void)
{
    return console_backlog() == 0;
}

/* Whether it has printed anything, on the console. */
bool console_has_printed(unsigned guest);
/* Shows what the guest has printed of a line so far. */
void console_flush(unsigned guest);
/* The display draws: text for standard output, as it is. */
void console_draw(const char *text, size_t count);

/* Whether console_tick should be called CONSOLE_TICK_MS from now. It shows lines begun that have
 * not grown since the last tick. */
bool console_wants_tick(void);
void console_tick(void);

/* 0, or the negative errno that standard output failed with. Nothing more is written to it then. */
int console_failure(void);

#endif
