/*
 * Whether a port write (traps.h), two bytes long, may stand in for an instruction where KVM does
 * not report int3, which is why int3 has one.
 *
 * It may where level 3 does not come by, which must not write to ports, and where nothing but the
 * instruction is covered, or a PUSH of one byte with the first byte of what follows it: that is how
 * functions begin. What follows must then be no target of a jump nearby. Memory that is still empty
 * is left to other means: a loader would write over the trap. One danger remains: a
 * thread of the guest that was interrupted just between the two, and goes on there.
 */
#ifndef DEBUG_PORTABLE_H
#define DEBUG_PORTABLE_H

#include <stdbool.h>

#include "base/memory.h"
#include "watch/explain/snapshot.h"

/* For the instruction at `at`, which lies at `place`. */
bool portable_is(const struct snapshot *s, const struct memory *memory, gva_t at, gpa_t place);

#endif
