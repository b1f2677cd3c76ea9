/*
 * A tape: a guest's input, clock values and interrupts in their order, and, if wanted, every exit
 * in a few bytes. Positions are counted in handled exits: a guest that gets the same values at the
 * same exits does the same again. A record file contains these bytes (docs/time-travel.md). Pure;
 * the input may be a damaged file.
 */
#ifndef VM_TAPE_H
#define VM_TAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "vm/exit_record.h"

/* What an entry is. Values of one kind are written as differences. */
enum tape_kind {
    TAPE_NOTHING,  /* there is no entry */
    TAPE_INPUT,    /* a byte of input, or what dev/backend.h has instead */
    TAPE_PENDING,  /* how many bytes wait */
    TAPE_NOW,      /* the clock that is never set */
    TAPE_WALL,     /* the clock on the wall */
    TAPE_TICK,     /* a tick that was delivered (ticks.h) */
    TAPE_SKIP = 6, /* exits that are only counted */
    TAPE_END,      /* how the guest ended */
    TAPE_KINDS,
    TAPE_EXIT = 0x80, /* with flags: an exit as it was */
};

enum tape_result {
    TAPE_FOUND,
    TAPE_OTHER,   /* the next entry is another, or at a later exit */
    TAPE_OVER,    /* the tape ends here */
    TAPE_DAMAGED, /* invalid entry */
};

/* A place on a tape; {0} is its beginning. */
struct tape_place {
    size_t at;
    uint64_t exits;            /* that are over there */
    uint64_t last[TAPE_KINDS]; /* of each kind, the last value */
    struct exit_record exit;   /* the last one */
};

struct tape {
    uint8_t *bytes;
    size_t used, size, limit; /* `limit`: of `size` */
    bool full;                /* what came after `end` found no room, or no memory */
    struct tape_place end;
    bool may_retry; /* the last entry said that there is no input: another try takes its place */
    uint32_t item;
    struct tape_place retry;
};

void tape_release(struct tape *tape);

/* Writes an entry: `exits` are over, and of the one that is handled so many items. */
void tape_put(struct tape *tape, uint64_t exits, uint32_t item, enum tape_kind kind,
              uint64_t value);
/* An exit is over. `record` has no time. */
void tape_put_exit(struct tape *tape, uint64_t exits, const struct exit_record *record);
/* The tape lasts until then. */
void tape_reach(struct tape *tape, uint64_t exits);
void tape_put_end(struct tape *tape, uint64_t exits, int kind, int code, const char *message);
/* Drops all entries after `place`. */
void tape_cut(struct tape *tape, const struct tape_place *place);

/* Takes the next entry, if it is of that kind and stands at that exit. */
enum tape_result tape_take(const struct tape *tape, struct tape_place *place, uint64_t exits,
                           enum tape_kind kind, uint64_t *value) MUST_CHECK;
/* Takes the next exit; TAPE_OTHER if the tape has something to give before that. */
enum tape_result tape_take_exit(const struct tape *tape, struct tape_place *place, uint64_t exits,
                                struct exit_record *record) MUST_CHECK;
struct tape_end {
    int kind, code;
    char message[256];
};
enum tape_result tape_take_end(const struct tape *tape, struct tape_place *place, uint64_t exits,
                               struct tape_end *end) MUST_CHECK;
/* What kind of entry stands there next, at that exit; TAPE_EXIT for any exit. */
enum tape_kind tape_next(const struct tape *tape, struct tape_place *place, uint64_t exits);

/* The name of a kind, for messages. */
const char *tape_kind_name(enum tape_kind kind);

/* Whether all of `tape`, which was filled from a file, can be read; sets its end. */
bool tape_check(struct tape *tape) MUST_CHECK;

#endif
