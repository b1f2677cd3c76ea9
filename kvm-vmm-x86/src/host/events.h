/*
 * What the main thread waits for: a signal, a wake-up from another thread, input, or the clock.
 * There is one instance; events_init comes before any thread, so that all inherit the blocked
 * signals.
 */
#ifndef HOST_EVENTS_H
#define HOST_EVENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct events {
    int signal; /* the signal that arrived, or 0 */
    bool input; /* standard input has bytes, or has ended */
};

int events_init(struct error *error) MUST_CHECK;

/* Waits at most `timeout_ms` (-1: for ever), for input too if `want_input`. */
struct events events_wait(int timeout_ms, bool want_input);

/* Ends events_wait from any thread. */
void events_wake(void);

/* Stops this process as the terminal's Ctrl-Z would; returns when it is continued. */
void events_stop_process(void);

/* A clock that only goes forward, in nanoseconds. */
uint64_t events_now(void);

#endif
