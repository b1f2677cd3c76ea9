/*
 * The main thread's event loop: descriptors, timers, signals, and wake-ups from other threads
 * (epoll(7), signalfd(2), eventfd(2)). There is one instance. Other threads may call
 * events_wake, events_now, events_is_hurried and events_await. Nothing else in the program may let
 * the main thread wait.
 *
 * Sources and timers belong to their users, who keep them in place while they are in use.
 */
#ifndef HOST_EVENTS_H
#define HOST_EVENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

enum { EVENTS_READ = 1, EVENTS_WRITE = 2 };

struct event_source {
    int fd;
    void (*ready)(void *context);
    void *context;
    unsigned interest;         /* the loop's: what is waited for; 0: nothing */
    bool always;               /* the loop's: a file that is never waited for */
    struct event_source *next; /* the loop's: of those that are always ready */
};

struct event_timer {
    void (*expired)(void *context);
    void *context;
    bool running; /* the loop's */
    uint64_t due; /* the loop's: events_now() */
    struct event_timer *next;
};

/* Makes the loop. */
int events_init(struct error *error) MUST_CHECK;

/* For a forked process, whose descriptors of the loop are closed: forgets the loop. */
void events_leave(void);

/* From now on `handle` gets the signals that end, stop or continue a program, except those that
 * were ignored when it started (nohup). Before any thread, so that all inherit the blocked signals.
 */
int events_take_signals(void (*handle)(int signal), struct error *error) MUST_CHECK;

/* Sets what is waited for: EVENTS_READ or EVENTS_WRITE; 0: nothing, and the descriptor may be
 * closed. */
void events_want(struct event_source *source, unsigned interest);

/* Expires once, `after` nanoseconds from now. A running timer starts again. */
void events_timer_start(struct event_timer *timer, uint64_t after);
void events_timer_stop(struct event_timer *timer);

/* Waits until something happens, `limit` nanoseconds at most, and calls those it concerns. */
void events_run(uint64_t limit);
#define EVENTS_FOREVER UINT64_MAX

/* Makes events_run return, from any thread. */
void events_wake(void);

/*
 * For waits that depend on something outside: a reader, a file, a helper thread. The time left for
 * all such waits together is called the program's patience: unlimited until events_set_patience,
 * which is called when the program is told to end. events_run_patiently is events_run while
 * patience is left, else false.
 */
void events_set_patience(uint64_t nanoseconds);
/* For a wait of another kind: takes up to `nanoseconds` from the patience, and returns how much. */
uint64_t events_take_patience(uint64_t nanoseconds);
bool events_run_patiently(uint64_t limit) MUST_CHECK;
/* Whether there is a limit: the program was told to end. */
bool events_is_hurried(void);
/* Whether no patience is left: the program was told to end twice, or the waits used it up. */
bool events_is_given_up(void);
/* Waits until `fd` is ready for `interest`, like events_run_patiently. A thread other than the main
 * one waits until the program is told to end. */
bool events_await(int fd, unsigned interest) MUST_CHECK;

/* "TERM" for SIGTERM. */
const char *events_signal_name(int signal);

/* Stops this process as the terminal's Ctrl-Z would; returns when it is continued. */
void events_stop_process(void);

/* A clock that only goes forward, in nanoseconds. */
uint64_t events_now(void);

#endif
