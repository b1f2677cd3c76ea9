/*
 * The recorder: keeps the input of every small guest on a tape (vm/deck.h), so that its run can be
 * repeated: by the postmortem, by a debugger that goes backwards, and from a file (--record,
 * --replay).
 */
#ifndef TRAVEL_RECORDER_H
#define TRAVEL_RECORDER_H

#include "vm/vm.h"

/* Why the run of such a guest cannot be repeated, for the user; NULL: it can. */
const char *recorder_refuses(const struct vm *vm);

/* For every guest, without a context: gives it a deck, if it can have one. */
extern const struct observer recorder_tape_observer;

/* --record, --replay: writes down or compares every exit. After the other one. */
extern const struct observer recorder_exits_observer;

/* Either path may be NULL. Opens one and reads the other, before there is a guest. */
int recorder_open(const char *record, const char *replay, struct error *error) MUST_CHECK;
bool recorder_is_wanted(void);

/* After the guest has ended, before its VM is destroyed: writes the recording, and reports how a
 * replay went. -1: the recording could not be written, or the replay differed. */
int recorder_finish(struct vm *vm);
void recorder_close(void);

#endif
