/*
 * Where the time goes: each exit of a guest with its begin, its length and its reason, in a ring
 * for each hart, while `trace on` lasts; shown as JSON in the trace-event format, which Chromium's
 * about:tracing and Perfetto read.
 */
#ifndef MON_TIMELINE_H
#define MON_TIMELINE_H

#include "vm/vcpu.h"

/* The rings' memory is taken by the first of these; false, after one line, where that fails. */
bool timeline_start(void) MUST_CHECK;
void timeline_stop(void);
/* Writes the newest `count` exits of each hart to the console, or over the beginning of the
 * machine's disk `disk` (negative: the console), by a task of its own, and calls `done` on its
 * hart; false, after one line: that cannot be done now. */
bool timeline_dump(unsigned count, int disk, void (*done)(void)) MUST_CHECK;
/* Ends that before all is written: on the console the JSON is closed, and says that not all exits
 * are in it; what is on a disk stops somewhere. */
void timeline_end(void);

#endif
