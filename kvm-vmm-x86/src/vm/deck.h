/*
 * The deck: the tape of a vCPU, being recorded or played (tape.h). What the devices ask of the
 * world outside (vm/backend.c) passes by here: while a tape is recorded the answer is noted, while
 * it is played the answer is taken from it and the world is not asked.
 *
 * It is reached from the thread that handles the vCPU's exits, and from no other: what other
 * threads ask is theirs. Only a guest with one vCPU has a deck.
 */
#ifndef VM_DECK_H
#define VM_DECK_H

#include <stdbool.h>
#include <stdint.h>

#include "vm/tape.h"

struct vcpu;

enum deck_mode {
    DECK_OFF,    /* nothing passes by */
    DECK_RECORD, /* at the tape's end */
    DECK_PLAY,   /* at `place`; where the tape ends the deck records on */
    DECK_REPLAY, /* the same; where the tape ends the guest does too */
};

struct deck {
    struct tape tape;
    struct tape_place place;
    enum deck_mode mode;
    bool led;          /* a thread leads the guest and looks at `diverged`: that does not end it */
    bool silent;       /* vm_silence, for who is attached */
    uint64_t furthest; /* silent: until so many exits are over, */
    enum deck_mode live; /* and then in this mode */
    bool diverged;       /* it asked for something that it was not given when the tape was made */
    char how[320];       /* then */
};

/* From now on this thread handles the vCPU's exits; NULL: those of none. */
void deck_attach(struct vcpu *vcpu);

/* For what the devices ask. True: the tape has the answer. False: the world is to be asked, and its
 * answer passed to deck_note. */
bool deck_plays(enum tape_kind kind, uint64_t *value);
void deck_note(enum tape_kind kind, uint64_t value);

/* For what is let in to the vCPU behind an exit or, `halted`, at a HLT. True: `*what` is what the
 * tape has there, 0 for nothing (more). False: the tape is not played; what comes is passed to
 * deck_note. */
bool deck_plays_tick(struct vcpu *vcpu, bool halted, uint64_t *what);
/* The vCPU waits, and a tape that is played has nothing for it: true if the guest ends with it. */
bool deck_ends(struct vcpu *vcpu);

/* For the vCPU's own thread, before it enters: a guest that was taken back in time has done again
 * what it had done. */
void deck_catch_up(struct vcpu *vcpu);

/* An exit was handled; `record` was made of it. Written down, or compared with the tape. */
void deck_pass_exit(struct vcpu *vcpu, const struct exit_record *record);
/* Ends a guest whose tape is over, as it ended then. */
void deck_end(struct vcpu *vcpu);

#endif
