/* When the guests' clocks have something to do: one timer of the event loop for all of them. */
#ifndef VM_ALARM_H
#define VM_ALARM_H

#include "vm/vm.h"

/* For the main thread, each time before it waits: sets the timer for the first of these guests'
 * clocks that has something to do. The clocks of a paused guest are left out. */
void alarm_arrange(struct vm *vms, unsigned count);

/* For a forked process, which has no loop yet: forgets the timer. */
void alarm_leave(void);

/* Runs what is due in a machine's clocks, for a program without the event loop; call it
 * regularly. */
void alarm_tick(struct machine *machine);

#endif
