/*
 * The local APIC's timer, for a vCPU that is stepped (Intel SDM volume 3, 11.5.4.1: TSC-deadline
 * mode, which is what Linux uses).
 *
 * A stepped guest is some thousand times slower than its clock. Its timer's handler alone takes
 * longer than the time until the timer is due again, so that it would do nothing else, and no
 * interrupt of lower priority would ever come through. Each deadline it sets is therefore moved
 * away; the guest sees a tick that came late, as on a busy host. Where KVM reports breakpoints and
 * watchpoints nothing runs in steps for long, and nothing is moved.
 */
#ifndef DEBUG_TIMER_H
#define DEBUG_TIMER_H

#include <stdbool.h>

#include "base/memory.h"
#include "watch/explain/snapshot.h"

enum { TIMER_MSR_TSC = 0x10, TIMER_MSR_DEADLINE = 0x6e0 };

/* Whether the instruction at CS:RIP sets the deadline. */
bool timer_is_set(const struct snapshot *s, const struct memory *memory);

/* What the deadline is to be instead, by the guest's TSC; 0 stays 0, which means none. */
uint64_t timer_later(uint64_t now, uint64_t deadline);

#endif
