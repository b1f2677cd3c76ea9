/* When the guests' clocks have something to do: one timer of the event loop for all of them. */
#ifndef VM_ALARM_H
#define VM_ALARM_H

#include "vm/vm.h"

/* For the main thread, each time before it waits: sets the timer for the first of these guests'
 * clocks that has something to do. A guest that is held waits with it. */
void alarm_arrange(struct vm *vms, unsigned count);

/* In a copy of the process, which has no loop yet: no timer runs. */
void alarm_leave(void);

/* Does what a machine's clocks have due: for a program without that loop, now and then. */
void alarm_tick(struct machine *machine);

#endif
