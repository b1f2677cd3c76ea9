/*
 * The recorder: what every small guest is given from outside is kept on a tape (vm/deck.h), so that
 * it can be run again: by the postmortem, by a debugger that goes backwards, and from a file
 * (--record, --replay).
 */
#ifndef TRAVEL_RECORDER_H
#define TRAVEL_RECORDER_H

#include "vm/vm.h"

/* Why nothing that such a guest does can be made to happen again, for the user; NULL: it can. */
const char *recorder_refuses(const struct vm *vm);

/* For every guest, without a context: gives it a deck, if it can have one. */
extern const struct observer recorder_tape_observer;

/* --record, --replay: writes down or compares every exit. After the other one. */
extern const struct observer recorder_exits_observer;

/* Either path may be NULL. Opens one and reads the other, before there is a guest. */
int recorder_open(const char *record, const char *replay, struct error *error) MUST_CHECK;
bool recorder_is_wanted(void);

/* The guest has ended, and is still there: writes the recording, and says how a replay went. -1:
 * what was asked for is not there, or the guest has gone another way. */
int recorder_finish(struct vm *vm);
void recorder_close(void);

#endif
