/*
 * The life of a process: spawn, turns at the processor, end, and the parent's question that frees
 * its place in the table. The kernel has one stack for all. A process that must wait is left with
 * the registers of its system call, and makes the call again when it is woken (syscall.c).
 */
#include "kernel/process/process.h"

#include "common/x86.h"
#include "kernel/device/device.h"
#include "kernel/memory/memory.h"

#define TABLE_END (process_table + PROCESS_MAX)

struct process process_table[PROCESS_MAX];

static struct process *current = process_table;
static int last_pid;

struct process *process_current(void)
{
    return current;
}

struct process *process_find(int pid)
{
    for (struct process *p = process_table; p < TABLE_END; p++)
        if (p->state != PROCESS_FREE && p->pid == pid)
            return p;
    return NULL;
}

static struct process *find_state(enum process_state state)
{
    for (struct process *p = process_table; p < TABLE_END; p++)
        if (p->state == state)
            return p;
    return NULL;
}

int process_spawn(const char *command_line, bool background)
{
    struct process *p = find_state(PROCESS_FREE);
    int error;

    if (p == NULL)
        return ERROR_TABLE_FULL;
    *p = (struct process){.parent = current->pid, .background = background || current->background};
    error = process_load(p, command_line);
    if (error < 0)
        return error;
    p->pid = ++last_pid;
    p->state = PROCESS_READY;
    return p->pid;
}

void process_end(struct process *ended, int status)
{
    if (ended->pid == FIRST_PROCESS)
        power_off((unsigned)status & 0x7f);
    for (struct process *p = process_table; p < TABLE_END; p++)
        if (p->state != PROCESS_FREE && p->parent == ended->pid)
            p->parent = FIRST_PROCESS;
    space_destroy(ended->space);
    ended->status = status;
    ended->state = PROCESS_ENDED;
    process_wake(PROCESS_WAITING); /* whoever waits looks again */
}

int process_collect(int pid, int *status)
{
    int result = ERROR_NO_PROCESS;

    for (struct process *p = process_table; p < TABLE_END; p++) {
        if (p->state == PROCESS_FREE || p->parent != current->pid || (pid != 0 && p->pid != pid))
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

void process_wake(enum process_state state)
{
    for (struct process *p = process_table; p < TABLE_END; p++)
        if (p->state == state)
            p->state = PROCESS_READY;
}

struct process *process_foreground(void)
{
    struct process *p = process_find(FIRST_PROCESS);

    for (struct process *child = p; child != NULL; child = process_find(child->waiting_for))
        p = child; /* this ends: nobody waits for an ancestor */
    return p;
}

bool process_interrupt_foreground(void)
{
    struct process *p = process_foreground();

    if (p == NULL || p->pid == FIRST_PROCESS || p->state == PROCESS_ENDED)
        return false;
    process_end(p, STATUS_KILLED);
    return true;
}

/* The next that is ready after the current one, in the order of the table; NULL if nobody is. */
static struct process *choose(void)
{
    for (unsigned i = 1; i <= PROCESS_MAX; i++) {
        struct process *p = &process_table[(current - process_table + i) % PROCESS_MAX];

        if (p->state == PROCESS_READY)
            return p;
    }
    return NULL;
}

struct trap_frame *process_next(void)
{
    struct process *next;

    while ((next = choose()) == NULL) {
        console_flush();
        x86_sti_hlt();
        x86_cli();
    }
    current = next;
    descriptors_set_frame(&next->frame);
    x86_write_cr3(next->space);
    return &next->frame;
}

void process_tick(void)
{
    if (current->state == PROCESS_READY)
        current->ticks++;
    for (struct process *p = process_table; p < TABLE_END; p++)
        if (p->state == PROCESS_SLEEPING && (int32_t)(clock_now() - p->wake_at) >= 0)
            p->state = PROCESS_READY;
}
