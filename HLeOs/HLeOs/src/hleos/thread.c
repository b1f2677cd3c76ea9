/* Starting, ending and joining threads; see thread.h. The scheduler is thread/sched.c. */
#include "thread.h"

#include "common/string.h"
#include "common/x86.h"
#include "cpu.h"
#include "cpu/panic.h"
#include "interrupt/handler.h"
#include "kmalloc.h"
#include "thread/sched.h"
#include "thread/stack.h"
#include "timer.h"

void thread_first_return(void);
void thread_begin(void);

static struct queue_list all;     /* sched */
static unsigned next_id;          /* sched */
static struct thread idle_thread; /* of the boot processor */
static void (*end_program)(uint64_t vector) __attribute__((noreturn));

enum { IDLE = 0 }; /* the priority of idle threads only */

static void release(struct thread *thread)
{
    stack_free(&thread->stack);
    kfree(thread);
}

void thread_attach_programs(void (*end)(uint64_t vector) __attribute__((noreturn)))
{
    end_program = end;
}

struct process *thread_process(void)
{
    return CPU_READ(current)->process;
}

/* Called between an interrupt's EOI and its iretq. The thread may have moved to another processor
 * meanwhile, so nothing about the processor is assumed. */
static void preempt(void)
{
    if (thread_current() != NULL)
        thread_yield();
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
    thread_sched_enqueue_locked(thread);
    thread_sched_unlock_and_yield(flags);
    return thread;
}

/* A new thread's first C code, on its own stack. The lock is held: the thread that switched here
 * took it. */
void thread_begin(void)
{
    struct thread *thread = thread_current();

    thread_sched_unlock(X86_FLAGS_IF);
    thread_exit(thread->entry(thread->argument));
}

/* A thread cannot free the stack on which it runs. The joiner frees it; for a detached thread, the
 * next thread that creates or ends a thread does. */
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

    if (thread->priority == IDLE || !queue_list_empty(&thread->mutexes))
        panic("thread %s ends, but is the idle thread or holds a mutex", thread->name);
    reap_detached();
    flags = thread_sched_lock();
    thread->result = result;
    thread->state = THREAD_DEAD;
    if (thread->joiner != NULL)
        thread_sched_enqueue_locked(thread->joiner);
    thread_sched_switch_locked(); /* the next thread releases the lock */
    panic("ended thread %s runs, flags %#lx", thread->name, flags);
}

static void __attribute__((noreturn)) end_by_fault(uint64_t vector)
{
    if (thread_current()->process != NULL)
        end_program(vector);
    thread_exit(THREAD_FAULTED + (intptr_t)vector);
}

static bool exists_locked(const struct thread *thread)
{
    for (struct queue_link *l = queue_list_first(&all); l; l = queue_list_after(&all, l))
        if (queue_entry(l, struct thread, all) == thread)
            return true;
    return false;
}

/* Each thread joins at most one and has at most one joiner. So the chain of joins ends, unless it
 * leads to the caller. */
static bool joinable_locked(const struct thread *thread)
{
    if (!exists_locked(thread) || thread->detached || thread->joiner != NULL ||
        thread->priority == IDLE)
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
        thread_sched_switch_locked();
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

void thread_rename(const char *name)
{
    uint64_t flags = thread_sched_lock();

    string_copy(thread_current()->name, name, THREAD_NAME_MAX);
    thread_sched_unlock(flags);
}

static const char *current_name(void)
{
    return thread_name(thread_current());
}

static bool may_end(void)
{
    const struct thread *current = thread_current();

    return current->priority != IDLE && queue_list_empty(&current->mutexes);
}

void thread_init(void)
{
    static const struct handler_threads ours = {.name = current_name,
                                                .may_end = may_end,
                                                .interrupted = thread_interrupted,
                                                .end = end_by_fault,
                                                .preempt = preempt};
    struct cpu *cpu = cpu_this();

    idle_thread = (struct thread){
        .name = "idle", .state = THREAD_RUNNING, .slice = THREAD_SLICE_MS, .stack = *cpu->stack};
    next_id = 1;
    queue_list_push(&all, &idle_thread.all);
    cpu->idle = &idle_thread;
    cpu->current = &idle_thread;
    handler_attach_threads(&ours);
    thread_sched_init();
}

bool thread_prepare_idle(struct cpu *cpu)
{
    struct thread *thread;
    uint64_t flags;

    if (cpu->idle != NULL)
        return true;
    thread = kmalloc(sizeof *thread);
    if (thread == NULL)
        return false;
    *thread = (struct thread){
        .name = "idle", .state = THREAD_RUNNING, .slice = THREAD_SLICE_MS, .cpu = cpu->id};
    if (!stack_allocate(&thread->stack)) {
        kfree(thread);
        return false;
    }
    flags = thread_sched_lock();
    thread->id = next_id++;
    queue_list_push(&all, &thread->all);
    thread_sched_unlock(flags);
    cpu->stack = &thread->stack;
    cpu->idle = cpu->current = thread;
    return true;
}

/* The idle thread is in no queue: it is ready while another thread runs. */
static enum thread_state state_of(const struct thread *thread)
{
    bool waits = thread->priority == IDLE && thread != cpu_at(thread->cpu)->current;

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
