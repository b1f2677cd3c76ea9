/* Who runs next: round robin over all that are ready, ten milliseconds each. */
#ifndef KERNEL_PROCESS_SCHEDULER_H
#define KERNEL_PROCESS_SCHEDULER_H

#include <stdint.h>

#include "kernel/process/process.h"

/* What switch.S leaves on the stack of a process that does not run. */
struct scheduler_frame {
    uint32_t edi, esi, ebx, ebp;
    uint32_t eip;
};

/* The kernel's life after boot: lets others run, and sleeps when there is nobody. */
void __attribute__((noreturn)) scheduler_run(void);

/* Lets others run; returns when it is the current process's turn again. */
void scheduler_yield(void);

/* Yields until somebody sets the current process's state back from `state` to ready. */
void scheduler_block(enum process_state state);

/* One clock tick: accounts for it and wakes the sleepers. */
void scheduler_tick(void);

#endif
