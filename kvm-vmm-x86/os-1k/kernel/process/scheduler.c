/* The scheduler. Runs with interrupts off, like all of the kernel; see scheduler.h. */
#include "kernel/process/scheduler.h"

#include "kernel/cpu/descriptors.h"
#include "kernel/cpu/fault.h"
#include "kernel/cpu/x86.h"
#include "kernel/device/clock.h"
#include "kernel/device/console.h"
#include "kernel/memory/image.h"
#include "kernel/memory/space.h"

/* switch.S: saves the registers on this stack, and goes on with those saved on another. */
void scheduler_switch(uint32_t *save_stack_pointer, uint32_t stack_pointer, uint32_t space);

static struct process *current = process_table;

struct process *process_current(void)
{
    return current;
}

/* The next ready process after the current one, in the order of the table; the kernel if none. */
static struct process *choose(void)
{
    unsigned from = (unsigned)(current - process_table);

    for (unsigned i = 1; i <= PROCESS_MAX; i++) {
        struct process *p = &process_table[(from + i) % PROCESS_MAX];

        if (p != process_table && p->state == PROCESS_READY)
            return p;
    }
    return process_table;
}

void scheduler_yield(void)
{
    struct process *previous = current;
    struct process *next = choose();

    if (next == previous)
        return;
    if (previous->stack != NULL && *(uint32_t *)previous->stack != 0)
        fault_panic("a kernel stack has overflowed");
    current = next;
    descriptors_set_kernel_stack((uint32_t)next->stack + PAGE_SIZE);
    scheduler_switch(&previous->stack_pointer, next->stack_pointer,
                     next->space != 0 ? next->space : space_kernel());
}

void scheduler_block(enum process_state state)
{
    current->state = state;
    scheduler_yield();
}

static bool anybody(enum process_state state)
{
    for (unsigned i = 1; i < PROCESS_MAX; i++)
        if (process_table[i].state == state)
            return true;
    return false;
}

void scheduler_run(void)
{
    for (;;) {
        if (choose() != process_table) {
            clock_relax(false);
            scheduler_yield();
        }
        console_flush();
        clock_relax(!anybody(PROCESS_SLEEPING));
        x86_wait_for_interrupt();
    }
}

void scheduler_tick(void)
{
    current->ticks++;
    for (unsigned i = 1; i < PROCESS_MAX; i++) {
        struct process *p = &process_table[i];

        if (p->state == PROCESS_SLEEPING && (int32_t)(clock_now() - p->wake_at) >= 0)
            p->state = PROCESS_READY;
    }
}
