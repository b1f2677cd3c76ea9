/*
 * The deck records or plays the tape of a vCPU (tape.h). The devices' requests for input and clocks
 * (vm/backend.c) pass through it: while it records, the answer is written to the tape; while it
 * plays, the answer comes from the tape.
 *
 * Only the thread that handles the vCPU's exits uses it; requests of other threads are neither
 * recorded nor played. Only a guest with one vCPU has a deck.
 *
 *
 */
#ifndef VM_DECK_H
#define VM_DECK_H

#include <stdbool.h>
#include <stdint.h>

#include "vm/tape.h"

struct vcpu;

enum deck_mode {
    DECK_OFF,    /* not in use */
    DECK_RECORD, /* at the tape's end */
    DECK_PLAY,   /* at `place`; where the tape ends the deck records on */
    DECK_REPLAY, /* the same; where the tape ends the guest does too */
};

struct deck {
    struct tape tape;
    struct tape_place place;
    enum deck_mode mode;
    bool led;    /* time travel runs the guest and checks `diverged`: a difference does not end the
                    guest */
    bool silent; /* vm_silence, for who is attached */
    uint64_t furthest;   /* silent: until so many exits are over, */
    enum deck_mode live; /* and then in this mode */
    bool diverged;       /* the guest differs from the tape */
    char how[320];       /* then */
};

/* From now on this thread handles the vCPU's exits; NULL: those of none. */
void deck_attach(struct vcpu *vcpu);

/* For a device's request. True: the tape has the answer, in `*value`. False: get the answer from
 * the host and pass it to deck_note. */
bool deck_plays(enum tape_kind kind, uint64_t *value);
void deck_note(enum tape_kind kind, uint64_t value);

/* For the ticks delivered to the vCPU after an exit or, with `halted`, at a HLT. True: `*what` is
 * the tick on the tape, 0 for none. False: the tape is not played; pass each tick to deck_note. */
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
