/* The scheduler: running, waiting and sleeping threads; see sched.h. */
#include "thread/sched.h"

#include "asm.h"
#include "cpu/flush.h"
#include "cpu/panic.h"
#include "interrupt.h"
#include "interrupt/apic.h"
#include "interrupt/gdt.h"
#include "memory/space.h"
#include "timer.h"

void thread_switch_stacks(uintptr_t *save, uintptr_t load);

struct lock thread_lock = LOCK_INIT("sched", LOCK_SCHED);
static struct queue_list ready[THREAD_PRIORITIES]; /* sched */
static unsigned ready_mask;                        /* sched; bit N: ready[N] is not empty */
static struct queue_list sleepers;                 /* sched; by wake_at, soonest first */
static uint64_t switch_count;                      /* sched */

struct thread *thread_current(void)
{
    return CPU_READ(current);
}

const char *thread_name(const struct thread *thread)
{
    return thread != NULL ? thread->name : "boot";
}

int thread_priority(const struct thread *thread)
{
    return __atomic_load_n(&thread->priority, __ATOMIC_RELAXED);
}

/* A thread gets this processor only if its priority is higher than this. */
static int level(const struct cpu *cpu)
{
    return cpu->promised > cpu->current->priority ? cpu->promised : cpu->current->priority;
}

/* The processor with the lowest level; if several are equal, this one, then the one on which the
 * thread ran last. */
static struct cpu *find_processor(const struct thread *thread)
{
    struct cpu *here = cpu_this(), *best = here;

    for (unsigned i = 0; i < cpu_count(); i++) {
        struct cpu *cpu = cpu_at(i);

        if (level(cpu) < level(best) ||
            (best != here && i == thread->cpu && level(cpu) == level(best)))
            best = cpu;
    }
    return best;
}

static void push_locked(struct thread *thread)
{
    thread->state = THREAD_READY;
    queue_list_push(&ready[thread->priority], &thread->link);
    ready_mask |= 1u << thread->priority;
}

/* In this way the threads with the highest priorities run, as many as there are processors. */
void thread_sched_enqueue_locked(struct thread *thread)
{
    struct cpu *cpu = cpu_count() > 1 ? find_processor(thread) : cpu_this();

    push_locked(thread);
    if (thread->priority <= level(cpu))
        return;
    if (cpu == cpu_this()) {
        cpu->attention |= CPU_RESCHEDULE;
    } else {
        cpu->promised = thread->priority;
        apic_send(cpu->apic_id, INTERRUPT_RESCHEDULE);
    }
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
        cpu_this()->attention |= CPU_RESCHEDULE; /* a thread of higher priority is ready */
}

static void enter_space(const struct thread *thread)
{
    space_enter(thread->space);
    if (thread->space != NULL)
        gdt_set_kernel_stack(thread->stack.high);
}

void thread_enter_space(const struct space *space, struct process *process)
{
    uint64_t flags = thread_sched_lock();
    struct thread *current = thread_current();

    current->space = space;
    current->process = process;
    enter_space(current);
    thread_sched_unlock(flags);
}

/*
 * Switches to the ready thread of the highest priority. The caller has put the current thread in
 * its queue, or in none. Returns when that thread runs again. The lock is held before and after:
 * the thread that switches back has taken it.
 */
void thread_sched_switch_locked(void)
{
    struct cpu *cpu = cpu_this();
    struct thread *from = cpu->current, *to = ready_mask != 0 ? dequeue_locked() : cpu->idle;

    if (thread_lock.outer != NULL)
        panic("thread %s sleeps with a spinlock held", from->name);
    cpu->attention = 0;
    cpu->promised = 0;
    to->state = THREAD_RUNNING;
    to->slice = THREAD_SLICE_MS;
    if (to == from)
        return;
    to->switches++;
    to->cpu = cpu->id;
    switch_count++;
    cpu->current = to;
    cpu->stack = &to->stack;
    if (to->space != from->space)
        enter_space(to);
    asm_fxsave(from->fpu);
    asm_fxrstor(to->fpu);
    thread_switch_stacks(&from->saved_sp, to->saved_sp);
}

/* Lets other threads run. The lock is held; the current thread stays ready, if it is not idle. */
static void yield_locked(void)
{
    struct thread *current = thread_current();

    if (current != cpu_this()->idle)
        push_locked(current); /* and calls no other processor: none has a lower level */
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

/* True if the wait was not interrupted: only an interruption clears `interruptible`. */
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

/* Called after a wake-up outside interrupts: a thread of higher priority runs at once. */
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

/* An idle processor needs no ticks, except the boot processor, which wakes all sleepers. Ticks stop
 * at the first tick in an idle processor, so a short idle time costs nothing. */
static void run_tick(struct cpu *cpu, bool on)
{
    if (cpu->tickless == !on)
        return;
    cpu->tickless = !on;
    timer_run_tick(on);
}

/* Called each millisecond, in the timer's interrupt. */
static void tick(uint64_t now)
{
    uint64_t flags = thread_sched_lock();
    struct cpu *cpu = cpu_this();
    struct thread *current = cpu->current;
    struct queue_link *l;

    while (cpu->id == 0 && (l = queue_list_first(&sleepers)) != NULL) {
        struct thread *t = queue_entry(l, struct thread, link);

        if (t->wake_at > now)
            break;
        queue_list_remove(l);
        thread_sched_enqueue_locked(t);
    }
    current->ticks++;
    cpu->attention |= CPU_TICKED;
    if (current->slice > 0 && --current->slice == 0) {
        current->slice = THREAD_SLICE_MS;
        if (ready_mask >> current->priority != 0)
            cpu->attention |= CPU_RESCHEDULE;
    }
    if (current == cpu->idle && cpu->id != 0)
        run_tick(cpu, false);
    thread_sched_unlock(flags);
}

/* Called when another processor has made a thread ready for this one. */
static void called(void *context)
{
    struct cpu *cpu = cpu_this();

    (void)context;
    run_tick(cpu, true);
    cpu->attention |= CPU_RESCHEDULE;
}

void thread_sched_init(void)
{
    timer_attach(tick);
    interrupt_attach(INTERRUPT_RESCHEDULE, "reschedule (from a processor)", called, NULL);
}

void thread_idle(void)
{
    for (;;) {
        x86_cli();
        if (__atomic_load_n(&ready_mask, __ATOMIC_RELAXED) != 0) {
            run_tick(cpu_this(), true);
            x86_sti();
            thread_yield();
        } else {
            flush_rest();
            x86_sti_hlt();
        }
    }
}

uint64_t thread_switch_count(void)
{
    return switch_count;
}
