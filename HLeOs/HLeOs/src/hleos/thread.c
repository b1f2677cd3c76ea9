/* The scheduler and the lives of threads; see thread.h and thread/sched.h. */
#include "thread.h"

#include "asm.h"
#include "common/string.h"
#include "cpu.h"
#include "cpu/panic.h"
#include "interrupt/gdt.h"
#include "interrupt/handler.h"
#include "kmalloc.h"
#include "memory/space.h"
#include "thread/sched.h"
#include "thread/stack.h"
#include "timer.h"

void thread_switch_stacks(uintptr_t *save, uintptr_t load);
void thread_first_return(void);
void thread_begin(void);

static struct lock lock = LOCK_INIT("sched");
static struct queue_list ready[THREAD_PRIORITIES]; /* lock */
static unsigned ready_mask;                        /* lock; bit N: ready[N] is not empty */
static struct queue_list sleepers;                 /* lock; by wake_at, soonest first */
static struct queue_list all;                      /* lock */
static unsigned next_id;                           /* lock */
static uint64_t switch_count;                      /* lock */
static struct thread idle_thread;

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

static void enqueue_locked(struct thread *thread)
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
        enqueue_locked(thread);
        return;
    }
    thread->priority = priority;
    if (thread == thread_current() && ready_mask >> priority > 1)
        cpu_this()->attention |= CPU_RESCHEDULE; /* a better one is ready */
}

static void release(struct thread *thread)
{
    stack_free(&thread->stack);
    kfree(thread);
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
    enter_space(current);
    thread_sched_unlock(flags);
}

struct process *thread_process(void)
{
    return thread_current()->process;
}

/*
 * Gives the processor to the best ready thread. The caller has put the current one where it belongs
 * (a queue, or nowhere). Returns when it runs again, the lock held as before: whoever switches back
 * holds it then.
 */
static void switch_locked(void)
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
        enqueue_locked(current);
    switch_locked();
}

void thread_yield(void)
{
    uint64_t flags = thread_sched_lock();

    yield_locked();
    thread_sched_unlock(flags);
}

/* Between an interrupt's end and its iretq. The thread may have come back meanwhile from elsewhere:
 * nothing of it is assumed. */
static void preempt(void)
{
    if (thread_current() != NULL)
        thread_yield();
}

void thread_wait_locked(struct queue_list *waiters)
{
    struct thread *current = thread_current();

    current->state = THREAD_WAITING;
    queue_list_push(waiters, &current->link);
    switch_locked();
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
        enqueue_locked(best);
    }
    return best;
}

/* After a wake-up outside interrupts: the better thread runs at once. */
static void unlock_and_yield(uint64_t flags)
{
    if ((cpu_this()->attention & CPU_RESCHEDULE) && cpu_this()->interrupt_depth == 0 &&
        (flags & X86_FLAGS_IF))
        yield_locked();
    thread_sched_unlock(flags);
}

struct thread *thread_create(const char *name, int priority, thread_entry *entry, void *argument)
{
    struct thread *thread = NULL;
    uintptr_t *sp;
    uint64_t flags;

    if (priority > 0 && priority < THREAD_PRIORITIES)
        thread = kmalloc(sizeof *thread);
    if (thread == NULL)
        return NULL;
    memset(thread, 0, sizeof *thread);
    if (!stack_allocate(&thread->stack)) {
        kfree(thread);
        return NULL;
    }
    string_copy(thread->name, name, sizeof thread->name);
    thread->priority = thread->own_priority = priority;
    thread->entry = entry;
    thread->argument = argument;
    memcpy(thread->fpu, cpu_clean_fpu(), sizeof thread->fpu);
    sp = (uintptr_t *)thread->stack.high;
    *--sp = 0; /* keeps the stack aligned at thread_begin() */
    *--sp = (uintptr_t)thread_first_return;
    for (int i = 0; i < 6; i++)
        *--sp = 0; /* the registers that switch.S pops */
    thread->saved_sp = (uintptr_t)sp;
    flags = thread_sched_lock();
    thread->id = next_id++;
    queue_list_push(&all, &thread->all);
    enqueue_locked(thread);
    unlock_and_yield(flags);
    return thread;
}

/* A new thread's first C code, on its own stack, with the lock that its switcher took. */
void thread_begin(void)
{
    struct thread *thread = thread_current();

    thread_sched_unlock(X86_FLAGS_IF);
    thread_exit(thread->entry(thread->argument));
}

/* Dead threads cannot free the stack they stand on. A joiner does it, or for detached ones whoever
 * creates or ends a thread next: they are few, and none is lost. */
static void reap_detached(void)
{
    for (;;) {
        struct thread *found = NULL;
        uint64_t flags = thread_sched_lock();

        for (struct queue_link *l = queue_list_first(&all); l && !found;
             l = queue_list_after(&all, l)) {
            struct thread *t = queue_entry(l, struct thread, all);

            if (t->state == THREAD_DEAD && t->detached && t != thread_current())
                found = t;
        }
        if (found != NULL)
            queue_list_remove(&found->all);
        thread_sched_unlock(flags);
        if (found == NULL)
            return;
        release(found);
    }
}

void thread_exit(intptr_t result)
{
    struct thread *thread = thread_current();
    uint64_t flags;

    if (thread == cpu_this()->idle || !queue_list_empty(&thread->mutexes))
        panic("thread %s ends, but is the idle thread or holds a mutex", thread->name);
    reap_detached();
    flags = thread_sched_lock();
    thread->result = result;
    thread->state = THREAD_DEAD;
    if (thread->joiner != NULL)
        enqueue_locked(thread->joiner);
    switch_locked(); /* the lock is given by the thread switched to */
    panic("dead thread %s runs, flags %#lx", thread->name, flags);
}

static void __attribute__((noreturn)) end_by_fault(uint64_t vector)
{
    thread_exit(THREAD_FAULTED + (intptr_t)vector);
}

static bool exists_locked(const struct thread *thread)
{
    for (struct queue_link *l = queue_list_first(&all); l; l = queue_list_after(&all, l))
        if (queue_entry(l, struct thread, all) == thread)
            return true;
    return false;
}

/* No thread joins two, and each is joined by one: the chain of who waits for whom has an end, or
 * it would lead to the caller. */
static bool joinable_locked(const struct thread *thread)
{
    if (!exists_locked(thread) || thread->detached || thread->joiner != NULL ||
        thread == &idle_thread)
        return false;
    for (; thread != NULL; thread = thread->joins)
        if (thread == thread_current())
            return false;
    return true;
}

intptr_t thread_join(struct thread *thread)
{
    uint64_t flags = thread_sched_lock();
    struct thread *current = thread_current();
    intptr_t result;

    if (!joinable_locked(thread)) {
        thread_sched_unlock(flags);
        return THREAD_NOT_JOINED;
    }
    thread->joiner = current;
    current->joins = thread;
    if (thread->state != THREAD_DEAD) {
        current->state = THREAD_WAITING;
        switch_locked();
    }
    current->joins = NULL;
    queue_list_remove(&thread->all);
    thread_sched_unlock(flags);
    result = thread->result;
    release(thread);
    return result;
}

void thread_detach(struct thread *thread)
{
    uint64_t flags = thread_sched_lock();

    thread->detached = thread->joiner == NULL; /* else the joiner frees it */
    thread_sched_unlock(flags);
    reap_detached();
}

void thread_sleep_until(uint64_t when)
{
    uint64_t flags = thread_sched_lock();
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
    switch_locked();
    thread_sched_unlock(flags);
}

void thread_sleep_ms(uint64_t ms)
{
    thread_sleep_until(timer_now() + ms * TIMER_NS_PER_MS);
}

/* Each millisecond, in the timer's interrupt. */
static void tick(uint64_t now)
{
    uint64_t flags = thread_sched_lock();
    struct thread *current = thread_current();
    struct queue_link *l;

    while ((l = queue_list_first(&sleepers)) != NULL) {
        struct thread *t = queue_entry(l, struct thread, link);

        if (t->wake_at > now)
            break;
        queue_list_remove(l);
        enqueue_locked(t);
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

static const char *current_name(void)
{
    return thread_name(thread_current());
}

static bool may_end(void)
{
    const struct thread *current = thread_current();

    return current != cpu_this()->idle && queue_list_empty(&current->mutexes);
}

void thread_init(void)
{
    static const struct handler_threads ours = {
        .name = current_name, .may_end = may_end, .end = end_by_fault, .preempt = preempt};
    struct cpu *cpu = cpu_this();

    idle_thread = (struct thread){
        .name = "idle", .state = THREAD_RUNNING, .slice = THREAD_SLICE_MS, .stack = *cpu->stack};
    next_id = 1;
    queue_list_push(&all, &idle_thread.all);
    cpu->idle = &idle_thread;
    cpu->current = &idle_thread;
    handler_attach_threads(&ours);
    timer_attach(tick);
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

/* The idle thread stands in no queue: it is ready whenever another one runs. */
static enum thread_state state_of(const struct thread *thread)
{
    bool waits = thread == cpu_this()->idle && thread != cpu_this()->current;

    return waits ? THREAD_READY : thread->state;
}

bool thread_info(unsigned index, struct thread_info *info)
{
    static const char *const states[] = {[THREAD_READY] = "ready",
                                         [THREAD_RUNNING] = "running",
                                         [THREAD_WAITING] = "waiting",
                                         [THREAD_SLEEPING] = "sleeping",
                                         [THREAD_DEAD] = "dead"};
    uint64_t flags = thread_sched_lock();
    struct queue_link *l = queue_list_first(&all);

    while (l != NULL && index-- > 0)
        l = queue_list_after(&all, l);
    if (l != NULL) {
        const struct thread *t = queue_entry(l, struct thread, all);

        *info = (struct thread_info){.id = t->id,
                                     .priority = t->priority,
                                     .state = states[state_of(t)],
                                     .switches = t->switches,
                                     .ticks = t->ticks};
        string_copy(info->name, t->name, sizeof info->name);
    }
    thread_sched_unlock(flags);
    return l != NULL;
}

uint64_t thread_switch_count(void)
{
    return switch_count;
}
