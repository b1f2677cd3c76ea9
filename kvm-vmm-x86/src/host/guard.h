/*
 * SIGBUS: a page of guest memory that the host has lost, because its RAM is broken or the file
 * behind it was cut short. An access to it, by the guest or by a device of ours, gets a page of
 * zeroes in its place, and the main thread ends that guest. A file that is mapped to be read is
 * guarded as well; its reader asks afterwards whether it was whole. Any other SIGBUS ends the
 * program.
 */
#ifndef HOST_GUARD_H
#define HOST_GUARD_H

#include "base/memory.h"

/* Takes the signal SIGBUS. A loss wakes the event loop; an access to any other memory goes to the
 * handler that was there before. */
void guard_init(void);

/* Guards memory that is mapped, until guard_remove. Does nothing if too many guests are guarded
 * already. */
void guard_add(const struct memory *memory);
void guard_remove(const struct memory *memory);

/* Guards the mapping of a file. False: there is no room, or the signal is not ours (in a program
 * with the library), and it must not be used. */
bool guard_add_file(const void *bytes, size_t size) MUST_CHECK;
/* Before it is unmapped. False: some of it was lost, and was read as zeroes. */
bool guard_remove_file(const void *bytes);

/* Whether some of it was lost, and where first. */
bool guard_lost(const struct memory *memory, gpa_t *at);

/* Where a file that backs it ends before it does: KVM fails with EFAULT there, without a signal. */
bool guard_cut_short(const struct memory *memory, gpa_t *at);

#endif
