/*
 * The life of a process: spawn, time slices, end, and the parent's wait, which frees its table
 * entry. The kernel has one stack for all. A process that must wait keeps the registers of its
 * system call, and makes the call again when it is woken (syscall.c).
 */
#include "kernel/process/process.h"

#include "common/x86.h"
#include "kernel/device/device.h"
#include "kernel/memory/memory.h"

#define TABLE_END (process_table + PROCESS_MAX)

struct process process_table[PROCESS_MAX];
struct process *process_current = process_table;

static bool lives(const struct process *p)
{
    return p->state != PROCESS_FREE && p->state != PROCESS_ENDED;
}

struct process *process_find(int pid)
{
    for (struct process *p = process_table; p < TABLE_END; p++)
        if (lives(p) && p->pid == pid)
            return p;
    return NULL;
}

int process_spawn(const char *command_line, bool background)
{
    static int last_pid;
    struct process *p = process_table;
    int error;

    while (p < TABLE_END && p->state != PROCESS_FREE)
        p++;
    if (p == TABLE_END)
        return ERROR_TABLE_FULL;
    *p = (struct process){.parent = process_current->pid,
                          .background = background || process_current->background};
    error = process_load(p, command_line);
    if (error < 0)
        return error;
    p->pid = ++last_pid;
    p->state = PROCESS_READY;
    return p->pid;
}

void process_wake(enum process_state state)
{
    for (struct process *p = process_table; p < TABLE_END; p++)
        if (p->state == state)
            p->state = PROCESS_READY;
}

void process_end(struct process *ended, int status)
{
    if (ended->pid == FIRST_PROCESS)
        power_off(status <= POWER_OFF_MAX ? (unsigned)status : POWER_OFF_MAX);
    for (struct process *p = process_table; p < TABLE_END; p++) {
        if (p->state != PROCESS_FREE && p->parent == ended->pid) {
            p->parent = FIRST_PROCESS; /* the shell did not start it and must not lose the input */
            p->background = true;
        }
    }
    space_destroy(ended->space);
    ended->status = status;
    ended->state = PROCESS_ENDED;
    process_wake(PROCESS_WAITING); /* those that wait for it, or for input, check again */
    process_wake(PROCESS_READING);
}

/* Whether `p` was started by the process `ancestor`, or by one that it started. */
static bool descends(const struct process *p, int ancestor)
{
    while (p != NULL && p->parent != ancestor)
        p = process_find(p->parent);
    return p != NULL;
}

void process_end_all(struct process *ended, int status)
{
    bool doomed[PROCESS_MAX];

    /* All are found before one ends, because each end changes parents. */
    for (int i = 0; i < PROCESS_MAX; i++)
        doomed[i] =
            process_table[i].state != PROCESS_FREE && descends(&process_table[i], ended->pid);
    process_end(ended, status);
    for (int i = 0; i < PROCESS_MAX; i++) {
        if (doomed[i] && lives(&process_table[i]))
            process_end(&process_table[i], status);
        if (doomed[i])
            process_table[i].state = PROCESS_FREE; /* no process will ask for its status */
    }
}

int process_collect(int pid, int *status)
{
    int result = ERROR_NO_PROCESS;

    for (struct process *p = process_table; p < TABLE_END; p++) {
        if (p->state == PROCESS_FREE || p->parent != process_current->pid ||
            (pid != 0 && p->pid != pid))
            continue;
        result = 0;
        if (p->state == PROCESS_ENDED) {
            p->state = PROCESS_FREE;
            *status = p->status;
            return p->pid;
        }
    }
    return result;
}

struct process *process_foreground(void)
{
    struct process *front = process_table; /* the shell */

    for (struct process *p = process_table; p < TABLE_END; p++)
        if (lives(p) && !p->background && p->pid > front->pid)
            front = p;
    return front;
}

struct trap_frame *process_next(void)
{
    struct process *next = process_current;

    for (unsigned looked_at = 1;; looked_at++) { /* in the order of the table, starting after it */
        next = next + 1 == TABLE_END ? process_table : next + 1;
        if (next->state == PROCESS_READY)
            break;
        if (looked_at % PROCESS_MAX == 0) { /* none is ready */
            console_flush();
            x86_sti_hlt();
            x86_cli();
        }
    }
    process_current = next;
    descriptors_set_frame(&next->frame);
    descriptors_set_space(next->space);
    return &next->frame;
}

void process_tick(void)
{
    if (process_current->state == PROCESS_READY)
        process_current->ticks++;
    for (struct process *p = process_table; p < TABLE_END; p++)
        if (p->state == PROCESS_SLEEPING && (int32_t)(clock_now() - p->wake_at) >= 0)
            p->state = PROCESS_READY;
}
