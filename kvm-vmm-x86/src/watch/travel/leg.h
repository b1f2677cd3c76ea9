/* A forward run for time travel: from a checkpoint at full speed up to the last exit before its
 * end; from there in single steps, or from breakpoint to breakpoint. In the travel's thread. */
#ifndef TRAVEL_LEG_H
#define TRAVEL_LEG_H

#include "watch/travel/travel.h"

#define LEG_NO_LIMIT UINT64_MAX

struct leg {
    uint64_t exits;     /* after so many exits: */
    int until;          /* at this checkpoint; -1: at the next exit, before it is handled */
    uint64_t steps_max; /* or after so many steps */
    bool looks;         /* breakpoints count */
    uint64_t hits_max;  /* or at so many of them; 0: never */
    uint64_t steps;     /* since the last exit */
    uint64_t hits;
    struct gdb_stop hit; /* the last */
    bool at_exit;        /* there was no instruction between the last exit and the next */
};

enum leg_result {
    LEG_THERE,
    LEG_HIT,
    LEG_MISSED, /* the same is to be done in single steps (STEPPER_MISSED) */
    LEG_LOST,
};

/* Restores a checkpoint; from there the guest's input comes from its tape. */
bool leg_start(struct travel *travel, int checkpoint) MUST_CHECK;
/* Runs on from where the guest is. */
enum leg_result leg_run(struct travel *travel, struct leg *leg) MUST_CHECK;
/* Both; true if the result is `wanted`. */
bool leg_travel(struct travel *travel, int from, struct leg *leg,
                enum leg_result wanted) MUST_CHECK;

#endif
