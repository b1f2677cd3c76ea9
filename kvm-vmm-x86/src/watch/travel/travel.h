/*
 * Reverse execution: restores a guest under a debugger to a checkpoint, and runs it forward with
 * its tape up to the wanted place.
 *
 * A place is a number of exits and of instructions since the last of them. The instructions are
 * counted by single steps, which is exact on every KVM; the exits before run at full speed, and so
 * does a search for the last breakpoint before a place. A separate thread does the work;
 * travel_stop ends the search at any time, and the guest returns to where it was.
 */
#ifndef TRAVEL_TRAVEL_H
#define TRAVEL_TRAVEL_H

#include "host/events.h"
#include "vm/deck.h"
#include "watch/gdb/target.h"
#include "watch/travel/checkpoints.h"
#include "watch/travel/stops.h"

struct travel {
    struct vm *vm;
    struct probe_debug features;
    void (*done)(void *context); /* from the thread, when `stop` is there */
    void *context;
    struct checkpoints points;
    uint64_t looked;     /* events_now(), when the last checkpoint was taken or tried */
    uint64_t furthest;   /* exits: as far as the guest has come */
    enum deck_mode live; /* of the deck there */
    struct worker worker;
    struct event_timer look; /* for the thread's deadline, while it is busy */
    struct lock stopping;    /* protects the next two, and each write of worker.stop */
    bool leaves;             /* the guest is over, and need not be as it was */
    bool returning;          /* the search is over; only `leaves` stops the way back */
    bool busy;               /* the thread is there, or is to be joined */
    /* What is asked for: */
    enum travel_kind kind;
    struct stops stops, stops_there; /* the second: with the place that is run to */
    uint8_t watched[GDB_BREAKPOINTS_MAX][GDB_WATCH_LENGTH_MAX];
    /* What came of it: */
    struct gdb_stop stop;
    char text[400]; /* for the user; empty: nothing */
    struct stepper stepper;
};

/* NULL, and `why`, if such a guest cannot go back. `features` as debug.h has them. */
struct travel *travel_make(struct vm *vm, const struct probe_debug *features, const char **why);
/* The thread is over. */
void travel_free(struct travel *travel);

/* The VM is quiet: takes a checkpoint if it is time for one. */
void travel_look(struct travel *travel);
/* Whether it is. From the vCPU's thread. */
bool travel_is_due(const struct travel *travel);

/* The debugger has changed the guest: what was before cannot be run again. */
void travel_forget(struct travel *travel);

/* Starts the thread; the VM is quiet, and stays so until `done` was called. -1: no thread. */
int travel_start(struct travel *travel, enum travel_kind kind,
                 const struct gdb_breakpoints *table) MUST_CHECK;
/* Ends the search. `leaves`: the guest is over, so that the way back to where it was ends too. */
void travel_stop(struct travel *travel, bool leaves);
/* Joins the thread, when it is done. */
void travel_join(struct travel *travel);

#endif
