/*
 * The trace of exits: each exit of a guest with its start, length and reason, in a ring for each
 * hart, while `trace on` lasts; shown as JSON in the trace-event format, which Chromium's
 * about:tracing and Perfetto read.
 */
#ifndef MON_TIMELINE_H
#define MON_TIMELINE_H

#include "vm/vcpu.h"

/* The rings' memory is taken by the first of these; false, after one line, where that fails. */
bool timeline_start(void) MUST_CHECK;
void timeline_stop(void);
/* Writes the newest `count` exits of each hart to the console, or over the beginning of the
 * machine's disk `disk` (negative: the console), in a separate task, and calls `done` on its hart;
 * false after an error message. */
bool timeline_dump(unsigned count, int disk, void (*done)(void)) MUST_CHECK;
/* Ends a dump early: on the console the JSON is closed with a note that it is incomplete; on a disk
 * it is cut off. */
void timeline_end(void);

#endif
