/* The life of a process: spawn, exit or kill, and the parent's wait that frees its place. */
#include "kernel/process/process.h"

#include "common/string.h"
#include "kernel/cpu/descriptors.h"
#include "kernel/cpu/trap.h"
#include "kernel/cpu/x86.h"
#include "kernel/device/power.h"
#include "kernel/memory/image.h"
#include "kernel/memory/page.h"
#include "kernel/memory/space.h"
#include "kernel/process/program.h"
#include "kernel/process/scheduler.h"

struct process process_table[PROCESS_MAX] = {[0] = {.state = PROCESS_READY, .name = "idle"}};

static int last_pid;

struct process *process_find(int pid)
{
    for (struct process *p = process_table + 1; p < process_table + PROCESS_MAX; p++)
        if (p->state != PROCESS_FREE && p->pid == pid)
            return p;
    return NULL;
}

static struct process *find_slot(void)
{
    for (struct process *p = process_table + 1; p < process_table + PROCESS_MAX; p++)
        if (p->state == PROCESS_FREE)
            return p;
    return NULL;
}

/* Writes the stack of a process that was never interrupted, as if it had been: on top the registers
 * of ring 3, which trap_return will load, and below what scheduler_switch pops. */
static void prepare_stack(struct process *p, uint32_t entry, uint32_t stack)
{
    struct trap_frame *frame = (struct trap_frame *)(p->stack + PAGE_SIZE) - 1;
    struct scheduler_frame *saved = (struct scheduler_frame *)frame - 1;

    *frame = (struct trap_frame){.gs = PROGRAM_DATA,
                                 .fs = PROGRAM_DATA,
                                 .es = PROGRAM_DATA,
                                 .ds = PROGRAM_DATA,
                                 .eip = entry,
                                 .cs = PROGRAM_CODE,
                                 .eflags = EFLAGS_ALWAYS | EFLAGS_IF,
                                 .esp = stack,
                                 .ss = PROGRAM_DATA};
    *saved = (struct scheduler_frame){.eip = (uint32_t)trap_return};
    p->stack_pointer = (uint32_t)saved;
}

/* Names a process by its program, without folders. */
static void set_name(struct process *p, const char *path)
{
    const char *slash = strrchr(path, '/');

    string_copy(p->name, slash != NULL ? slash + 1 : path, sizeof p->name);
}

int process_spawn(const char *command_line, bool background)
{
    struct process *p = find_slot();
    struct program program;
    int error;

    if (p == NULL)
        return ERROR_TABLE_FULL;
    error = program_load(command_line, &program);
    if (error < 0)
        return error;
    *p = (struct process){.parent = process_current()->pid,
                          .background = background || process_current()->background,
                          .space = program.space,
                          .stack = page_alloc()};
    if (p->stack == NULL) {
        space_destroy(program.space);
        return ERROR_NO_MEMORY;
    }
    set_name(p, program.path);
    prepare_stack(p, program.entry, program.stack);
    p->pid = ++last_pid;
    p->state = PROCESS_READY;
    return p->pid;
}

/* Hands the children over to the first process, which may be waiting for any. */
static void abandon_children(const struct process *parent)
{
    for (struct process *p = process_table + 1; p < process_table + PROCESS_MAX; p++)
        if (p->state != PROCESS_FREE && p->parent == parent->pid)
            p->parent = FIRST_PROCESS;
    process_wake(PROCESS_WAITING); /* whoever waits looks again */
}

/* Frees all that the process no longer needs. Its stack goes last, in process_wait: the processor
 * may be standing on it. */
static void end(struct process *p, int status)
{
    if (p->pid == FIRST_PROCESS)
        power_off((unsigned)status & 0x7f);
    abandon_children(p);
    space_destroy(p->space);
    p->status = status;
    p->state = PROCESS_ENDED;
}

void process_exit(int status)
{
    x86_write_cr3(space_kernel());
    end(process_current(), status);
    scheduler_yield();
    __builtin_unreachable(); /* nobody wakes the ended */
}

int process_kill(int pid)
{
    struct process *p = process_find(pid);

    if (p == NULL || p->state == PROCESS_ENDED)
        return ERROR_NO_PROCESS;
    if (pid == FIRST_PROCESS)
        return ERROR_BAD_ARGUMENT;
    if (p == process_current())
        process_exit(STATUS_KILLED);
    end(p, STATUS_KILLED);
    return 0;
}

/* Finds a child that has ended; `any` tells whether there are children at all. */
static struct process *find_ended_child(int pid, bool *any)
{
    *any = false;
    for (struct process *p = process_table + 1; p < process_table + PROCESS_MAX; p++) {
        if (p->state == PROCESS_FREE || p->parent != process_current()->pid)
            continue;
        if (pid != 0 && p->pid != pid)
            continue;
        *any = true;
        if (p->state == PROCESS_ENDED)
            return p;
    }
    return NULL;
}

int process_wait(int pid, bool poll, int *status)
{
    struct process *child;
    bool any;

    while ((child = find_ended_child(pid, &any)) == NULL) {
        if (!any)
            return ERROR_NO_PROCESS;
        if (poll)
            return 0;
        process_current()->waiting_for = pid;
        process_wake(PROCESS_READING); /* the child may have come to the front by this */
        scheduler_block(PROCESS_WAITING);
    }
    process_current()->waiting_for = 0;
    page_free(child->stack);
    child->state = PROCESS_FREE;
    *status = child->status;
    return child->pid;
}

void process_wake(enum process_state state)
{
    for (struct process *p = process_table + 1; p < process_table + PROCESS_MAX; p++)
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

    if (p == NULL || p->pid == FIRST_PROCESS)
        return false;
    if (p != process_current())
        return process_kill(p->pid) == 0;
    p->doomed = true; /* not now: the interrupt that brought the byte is still being served */
    return true;
}
