/*
 * Answers to the packets of gdb that read or change a stopped guest: registers, memory,
 * breakpoints, threads. gdb.c stops and resumes it, and holds its lock.
 */
#ifndef MON_GDB_ANSWER_H
#define MON_GDB_ANSWER_H

#include "common/gdb/packet.h"
#include "mon/debug.h"

/* Answers the packet of that kind, whose rest is in `scan`; an empty answer to an unknown packet,
 * as the protocol requires. */
void gdb_answer(struct debug *debug, char kind, struct gdb_scan *scan, struct gdb_writer *writer);
/* The vCPU that a thread's number in a packet names; false: there is no such thread. */
bool gdb_answer_thread(const struct debug *debug, struct gdb_scan *scan, unsigned *vcpu) MUST_CHECK;

#endif
