/*
 * Answers to the packets of gdb that look at a guest that stands still, or change it: registers,
 * memory, breakpoints, threads. What stops it and lets it go on is gdb.c's, whose lock is held.
 */
#ifndef MON_GDB_ANSWER_H
#define MON_GDB_ANSWER_H

#include "common/gdb/packet.h"
#include "mon/debug.h"

/* The answer to the packet of that kind, whose rest is in `scan`; none to what is not known, as the
 * protocol wants it. */
void gdb_answer(struct debug *debug, char kind, struct gdb_scan *scan, struct gdb_writer *writer);
/* The vCPU that a thread's number in a packet names; false: there is no such thread. */
bool gdb_answer_thread(const struct debug *debug, struct gdb_scan *scan, unsigned *vcpu) MUST_CHECK;

#endif
