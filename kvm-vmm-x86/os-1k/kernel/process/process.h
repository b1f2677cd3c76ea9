/* Processes: programs that run, each in an address space of its own, in turn, 55 milliseconds each.
 */
#ifndef KERNEL_PROCESS_PROCESS_H
#define KERNEL_PROCESS_PROCESS_H

#include "kernel/cpu/cpu.h"
#include "kernel/kernel.h"

struct process {
    struct trap_frame frame; /* its registers, while it does not run */
    int pid, parent;
    enum process_state state;
    uint32_t space;   /* CR3 */
    uint32_t wake_at; /* SLEEPING: in milliseconds of the clock */
    int status;       /* ENDED */
    bool background;  /* has no input */
    uint32_t ticks;   /* times the clock found it running */
    char name[NAME_SIZE];
};

extern struct process process_table[PROCESS_MAX];

/* The process that runs, or ran last. Only process_next changes it. */
extern struct process *process_current;

/* The one of that number that has not ended, or NULL. */
struct process *process_find(int pid);

/* Starts the program named by the first word of `command_line`, as a child of the current process.
 * Returns its pid or an error. */
int process_spawn(const char *command_line, bool background) __attribute__((warn_unused_result));

/* program.c: makes the space, the registers and the name of a process that is to run that program.
 * Returns 0, or an error and has left nothing behind. */
int process_load(struct process *p, const char *command_line) __attribute__((warn_unused_result));

/* Ends a process, the current one or another. Ends the machine if it is the first. What it started
 * goes on, in the background. */
void process_end(struct process *p, int status);

/* Ends a process and all that it started, directly or by way of others. */
void process_end_all(struct process *p, int status);

/* Returns the pid of a child that has ended (`pid`, or any if that is 0) and frees its place in the
 * table; 0 if none has ended yet. */
int process_collect(int pid, int *status);

/* Makes all processes in `state` ready. */
void process_wake(enum process_state state);

/* The process that gets the input: the latest that is not in the background. */
struct process *process_foreground(void);

/* Chooses what runs next and prepares its return to ring 3; sleeps while no process is ready. */
struct trap_frame *process_next(void);

/* One clock tick: accounts for it and wakes the sleepers. */
void process_tick(void);

#endif
