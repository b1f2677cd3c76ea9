/* The scheduler: who runs, who waits, who sleeps; see sched.h. */
#include "thread/sched.h"

#include "asm.h"
#include "cpu/panic.h"
#include "interrupt/gdt.h"
#include "memory/space.h"
#include "timer.h"

void thread_switch_stacks(uintptr_t *save, uintptr_t load);

static struct lock lock = LOCK_INIT("sched");
static struct queue_list ready[THREAD_PRIORITIES]; /* lock */
static unsigned ready_mask;                        /* lock; bit N: ready[N] is not empty */
static struct queue_list sleepers;                 /* lock; by wake_at, soonest first */
static uint64_t switch_count;                      /* lock */

uint64_t thread_sched_lock(void)
{
    return lock_take(&lock);
}

void thread_sched_unlock(uint64_t flags)
{
    lock_give(&lock, flags);
}

struct thread *thread_current(void)
{
    return cpu_this()->current;
}

const char *thread_name(const struct thread *thread)
{
    return thread != NULL ? thread->name : "boot";
}

int thread_priority(const struct thread *thread)
{
    return __atomic_load_n(&thread->priority, __ATOMIC_RELAXED);
}

void thread_sched_enqueue_locked(struct thread *thread)
{
    struct thread *current = thread_current();

    thread->state = THREAD_READY;
    queue_list_push(&ready[thread->priority], &thread->link);
    ready_mask |= 1u << thread->priority;
    if (thread->priority > current->priority)
        cpu_this()->attention |= CPU_RESCHEDULE;
}

static void unqueue_locked(struct thread *thread)
{
    queue_list_remove(&thread->link);
    if (queue_list_empty(&ready[thread->priority]))
        ready_mask &= ~(1u << thread->priority);
}

static struct thread *dequeue_locked(void)
{
    int priority = 31 - __builtin_clz(ready_mask);
    struct queue_link *link = queue_list_pop(&ready[priority]);

    if (queue_list_empty(&ready[priority]))
        ready_mask &= ~(1u << priority);
    return queue_entry(link, struct thread, link);
}

void thread_set_priority_locked(struct thread *thread, int priority)
{
    if (thread->state == THREAD_READY) {
        unqueue_locked(thread);
        thread->priority = priority;
        thread_sched_enqueue_locked(thread);
        return;
    }
    thread->priority = priority;
    if (thread == thread_current() && ready_mask >> priority > 1)
        cpu_this()->attention |= CPU_RESCHEDULE; /* a better one is ready */
}

static void enter_space(const struct thread *thread)
{
    space_enter(thread->space);
    gdt_set_kernel_stack(thread->stack.high);
}

void thread_enter_space(const struct space *space, struct process *process)
{
    uint64_t flags = thread_sched_lock();
    struct thread *current = thread_current();

    current->space = space;
    current->process = process;
    if (space != NULL)
        enter_space(current);
    thread_sched_unlock(flags);
}

/*
 * Gives the processor to the best ready thread. The caller has put the current one where it belongs
 * (a queue, or nowhere). Returns when it runs again, the lock held as before: what switches back
 * holds it then.
 */
void thread_sched_switch_locked(void)
{
    struct cpu *cpu = cpu_this();
    struct thread *from = cpu->current, *to = ready_mask != 0 ? dequeue_locked() : cpu->idle;

    if (cpu->locks_held != 1)
        panic("thread %s sleeps with a spinlock held", from->name);
    cpu->attention = 0;
    to->state = THREAD_RUNNING;
    to->slice = THREAD_SLICE_MS;
    if (to == from)
        return;
    to->switches++;
    switch_count++;
    cpu->current = to;
    cpu->stack = &to->stack;
    if (to->space != NULL)
        enter_space(to);
    asm_fxsave(from->fpu);
    asm_fxrstor(to->fpu);
    thread_switch_stacks(&from->saved_sp, to->saved_sp);
}

/* Called with the lock held; true if a thread other than the idle one runs here and is ready. */
static void yield_locked(void)
{
    struct thread *current = thread_current();

    if (current != cpu_this()->idle)
        thread_sched_enqueue_locked(current);
    thread_sched_switch_locked();
}

void thread_yield(void)
{
    uint64_t flags = thread_sched_lock();

    yield_locked();
    thread_sched_unlock(flags);
}

void thread_wait_locked(struct queue_list *waiters)
{
    struct thread *current = thread_current();

    current->state = THREAD_WAITING;
    queue_list_push(waiters, &current->link);
    thread_sched_switch_locked();
}

/* Any other wake-up leaves `interruptible` as it is. */
static bool finish_interruptible(struct thread *thread)
{
    bool woken = thread->interruptible;

    thread->interruptible = false;
    return woken;
}

bool thread_wait_interruptible_locked(struct queue_list *waiters)
{
    struct thread *current = thread_current();

    if (current->interrupted)
        return false;
    current->interruptible = true;
    thread_wait_locked(waiters);
    return finish_interruptible(current);
}

struct thread *thread_wake_locked(struct queue_list *waiters)
{
    struct thread *best = NULL;

    for (struct queue_link *l = queue_list_first(waiters); l; l = queue_list_after(waiters, l)) {
        struct thread *t = queue_entry(l, struct thread, link);

        if (best == NULL || t->priority > best->priority)
            best = t;
    }
    if (best != NULL) {
        queue_list_remove(&best->link);
        thread_sched_enqueue_locked(best);
    }
    return best;
}

/* After a wake-up outside interrupts: the better thread runs at once. */
void thread_sched_unlock_and_yield(uint64_t flags)
{
    if ((cpu_this()->attention & CPU_RESCHEDULE) && cpu_this()->interrupt_depth == 0 &&
        (flags & X86_FLAGS_IF))
        yield_locked();
    thread_sched_unlock(flags);
}

static void sleep_locked(uint64_t when)
{
    struct thread *current = thread_current();
    struct queue_link *l = queue_list_first(&sleepers);

    current->wake_at = when;
    current->state = THREAD_SLEEPING;
    while (l != NULL && queue_entry(l, struct thread, link)->wake_at <= when)
        l = queue_list_after(&sleepers, l);
    if (l != NULL)
        queue_list_insert(l, &current->link);
    else
        queue_list_push(&sleepers, &current->link);
    thread_sched_switch_locked();
}

void thread_sleep_until(uint64_t when)
{
    uint64_t flags = thread_sched_lock();

    sleep_locked(when);
    thread_sched_unlock(flags);
}

void thread_sleep_ms(uint64_t ms)
{
    thread_sleep_until(timer_now() + ms * TIMER_NS_PER_MS);
}

bool thread_sleep_interruptible(uint64_t ms)
{
    uint64_t when = timer_now() + ms * TIMER_NS_PER_MS, flags = thread_sched_lock();
    struct thread *current = thread_current();
    bool whole = !current->interrupted;

    if (whole) {
        current->interruptible = true;
        sleep_locked(when);
        whole = finish_interruptible(current);
    }
    thread_sched_unlock(flags);
    return whole;
}

void thread_interrupt(struct thread *thread)
{
    uint64_t flags = thread_sched_lock();

    thread->interrupted = true;
    if (thread->interruptible &&
        (thread->state == THREAD_WAITING || thread->state == THREAD_SLEEPING)) {
        thread->interruptible = false;
        queue_list_remove(&thread->link);
        thread_sched_enqueue_locked(thread);
    }
    thread_sched_unlock_and_yield(flags);
}

bool thread_interrupted(void)
{
    return __atomic_load_n(&thread_current()->interrupted, __ATOMIC_RELAXED);
}

/* Each millisecond, in the timer's interrupt. */
void thread_sched_tick(uint64_t now)
{
    uint64_t flags = thread_sched_lock();
    struct thread *current = thread_current();
    struct queue_link *l;

    while ((l = queue_list_first(&sleepers)) != NULL) {
        struct thread *t = queue_entry(l, struct thread, link);

        if (t->wake_at > now)
            break;
        queue_list_remove(l);
        thread_sched_enqueue_locked(t);
    }
    current->ticks++;
    cpu_this()->attention |= CPU_TICKED;
    if (current->slice > 0 && --current->slice == 0) {
        current->slice = THREAD_SLICE_MS;
        if (ready_mask >> current->priority != 0)
            cpu_this()->attention |= CPU_RESCHEDULE;
    }
    thread_sched_unlock(flags);
}

void thread_idle(void)
{
    for (;;) {
        x86_cli();
        if (ready_mask != 0) {
            x86_sti();
            thread_yield();
        } else {
            x86_sti_hlt();
        }
    }
}

uint64_t thread_switch_count(void)
{
    return switch_count;
}
