/* Processes: programs that run, each in an address space of its own. */
#ifndef KERNEL_PROCESS_PROCESS_H
#define KERNEL_PROCESS_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

#include "include/system.h"

enum { PROCESS_MAX = 64 };

enum process_state {
    PROCESS_FREE,     /* the table slot is unused */
    PROCESS_READY,    /* runs, or could */
    PROCESS_SLEEPING, /* until the clock reaches wake_at */
    PROCESS_READING,  /* until a byte is typed */
    PROCESS_WAITING,  /* until a child ends */
    PROCESS_ENDED,    /* until its parent has asked for its status */
};

struct process {
    int pid, parent;
    enum process_state state;
    uint32_t space;         /* CR3 */
    char *stack;            /* the kernel's, one page; its first word must stay 0 */
    uint32_t stack_pointer; /* while not running: where its registers are saved */
    uint32_t wake_at;       /* SLEEPING */
    int waiting_for;        /* the child whose end it waits for, or 0 */
    bool background;        /* has no input */
    bool doomed;            /* ends when it is about to return to ring 3 */
    int status;             /* ENDED */
    uint32_t ticks;         /* times the clock found it running */
    char name[NAME_SIZE];
};

/* Slot 0 is the kernel itself, which runs when nobody else can. */
extern struct process process_table[PROCESS_MAX];

struct process *process_current(void);

/* Starts the program named by the first word of `command_line`, as a child of the current process.
 * Returns its pid or an error. */
int process_spawn(const char *command_line, bool background) __attribute__((warn_unused_result));

/* Ends the current process. Ends the machine if it is the first one. */
void __attribute__((noreturn)) process_exit(int status);

/* Ends any process but the first. Does not return if that is the current one. */
int process_kill(int pid);

/* Waits for child `pid`, or any child if 0, and returns its pid; or 0 if polling and none ended. */
int process_wait(int pid, bool poll, int *status);

/* Makes everybody in `state` ready. */
void process_wake(enum process_state state);

/* NULL if there is none of that number. */
struct process *process_find(int pid);

/* The one that the keyboard belongs to: the shell, or the command that it waits for. */
struct process *process_foreground(void);

/* Ends the foreground process for Ctrl-C; false if that is the shell, which gets the byte. */
bool process_interrupt_foreground(void);

#endif
