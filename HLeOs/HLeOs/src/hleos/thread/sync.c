/* Mutex, condition variable, semaphore, blocking queue; see sync.h. All of it is under the
 * scheduler's lock, which is simple, and held only briefly. */
#include "thread/sync.h"

#include "common/x86.h"
#include "cpu.h"
#include "cpu/panic.h"
#include "thread/sched.h"

/* Releases the lock. If allowed, a thread of higher priority that was just woken runs at once. */
static void unlock(uint64_t flags)
{
    bool better = cpu_this()->attention & CPU_RESCHEDULE;

    thread_sched_unlock(flags);
    if (better && (flags & X86_FLAGS_IF) && cpu_may_sleep())
        thread_yield();
}

static void must_be_able_to_sleep(const char *what)
{
    if (!cpu_may_sleep())
        panic("%s where a thread must not sleep", what);
}

static void own_locked(struct sync_mutex *mutex, struct thread *owner)
{
    mutex->owner = owner;
    if (owner != NULL)
        queue_list_push(&owner->mutexes, &mutex->held);
}

/* Lends the priority along the chain of owners that wait for other mutexes. Each step raises an
 * owner's priority, so it ends even if they wait in a circle. */
static void lend_locked(struct sync_mutex *mutex, int priority)
{
    for (; mutex != NULL && mutex->owner->priority < priority; mutex = mutex->owner->waits_for)
        thread_set_priority_locked(mutex->owner, priority);
}

/* The highest of the thread's own priority and those of the waiters for its mutexes. */
static int due_locked(const struct thread *thread)
{
    int priority = thread->own_priority;

    for (struct queue_link *m = queue_list_first(&thread->mutexes); m;
         m = queue_list_after(&thread->mutexes, m)) {
        const struct sync_mutex *mutex = queue_entry(m, struct sync_mutex, held);

        for (struct queue_link *w = queue_list_first(&mutex->waiters); w;
             w = queue_list_after(&mutex->waiters, w)) {
            const struct thread *waiter = queue_entry(w, struct thread, link);

            if (waiter->priority > priority)
                priority = waiter->priority;
        }
    }
    return priority;
}

static void take_locked(struct sync_mutex *mutex)
{
    struct thread *current = thread_current();

    if (mutex->owner == current)
        panic("thread %s takes a mutex twice", current->name);
    if (mutex->owner == NULL) {
        own_locked(mutex, current);
        return;
    }
    current->waits_for = mutex;
    lend_locked(mutex, current->priority);
    thread_wait_locked(&mutex->waiters); /* it is the owner when woken */
}

static void give_locked(struct sync_mutex *mutex)
{
    struct thread *current = thread_current(), *next;

    if (mutex->owner != current)
        panic("thread %s releases a mutex that it does not hold", current->name);
    queue_list_remove(&mutex->held);
    next = thread_wake_locked(&mutex->waiters); /* the highest priority: the others lend it none */
    if (next != NULL)
        next->waits_for = NULL;
    own_locked(mutex, next);
    if (current->priority != current->own_priority)
        thread_set_priority_locked(current, due_locked(current));
}

void sync_mutex_take(struct sync_mutex *mutex)
{
    uint64_t flags;

    must_be_able_to_sleep("a mutex is taken");
    flags = thread_sched_lock();
    take_locked(mutex);
    thread_sched_unlock(flags);
}

bool sync_mutex_try(struct sync_mutex *mutex)
{
    uint64_t flags = thread_sched_lock();
    bool is_free = mutex->owner == NULL;

    if (is_free)
        take_locked(mutex);
    thread_sched_unlock(flags);
    return is_free;
}

void sync_mutex_give(struct sync_mutex *mutex)
{
    uint64_t flags = thread_sched_lock();

    give_locked(mutex);
    unlock(flags);
}

void sync_condition_wait(struct sync_condition *condition, struct sync_mutex *mutex)
{
    uint64_t flags;

    must_be_able_to_sleep("a condition is waited for");
    flags = thread_sched_lock();
    give_locked(mutex); /* with the lock of the wait: no signal is lost */
    thread_wait_locked(&condition->waiters);
    take_locked(mutex);
    thread_sched_unlock(flags);
}

bool sync_condition_wait_interruptible(struct sync_condition *condition, struct sync_mutex *mutex)
{
    uint64_t flags;
    bool woken;

    must_be_able_to_sleep("a condition is waited for");
    flags = thread_sched_lock();
    give_locked(mutex);
    woken = thread_wait_interruptible_locked(&condition->waiters);
    take_locked(mutex);
    thread_sched_unlock(flags);
    return woken;
}

/* The caller holds the mutex, so no thread joins the list: it can be checked without the lock. */
void sync_condition_signal(struct sync_condition *condition)
{
    uint64_t flags;

    if (queue_list_empty(&condition->waiters))
        return;
    flags = thread_sched_lock();
    (void)thread_wake_locked(&condition->waiters);
    unlock(flags);
}

void sync_condition_broadcast(struct sync_condition *condition)
{
    uint64_t flags;

    if (queue_list_empty(&condition->waiters))
        return;
    flags = thread_sched_lock();
    while (thread_wake_locked(&condition->waiters) != NULL)
        ;
    unlock(flags);
}

void sync_semaphore_wait(struct sync_semaphore *semaphore)
{
    uint64_t flags;

    must_be_able_to_sleep("a semaphore is waited for");
    flags = thread_sched_lock();
    if (semaphore->count > 0)
        semaphore->count--;
    else
        thread_wait_locked(&semaphore->waiters); /* a post wakes this thread and leaves the count */
    thread_sched_unlock(flags);
}

bool sync_semaphore_wait_interruptible(struct sync_semaphore *semaphore)
{
    uint64_t flags;
    bool got = true;

    must_be_able_to_sleep("a semaphore is waited for");
    flags = thread_sched_lock();
    if (semaphore->count > 0)
        semaphore->count--;
    else
        got = thread_wait_interruptible_locked(&semaphore->waiters);
    thread_sched_unlock(flags);
    return got;
}

bool sync_semaphore_try(struct sync_semaphore *semaphore)
{
    uint64_t flags = thread_sched_lock();
    bool got = semaphore->count > 0;

    if (got)
        semaphore->count--;
    thread_sched_unlock(flags);
    return got;
}

void sync_semaphore_post(struct sync_semaphore *semaphore)
{
    uint64_t flags = thread_sched_lock();

    if (thread_wake_locked(&semaphore->waiters) == NULL)
        semaphore->count++;
    unlock(flags);
}

void sync_queue_push(struct sync_queue *queue, uintptr_t word)
{
    sync_mutex_take(&queue->mutex);
    while (!queue_push(&queue->queue, word))
        sync_condition_wait(&queue->not_full, &queue->mutex);
    sync_condition_signal(&queue->not_empty);
    sync_mutex_give(&queue->mutex);
}

uintptr_t sync_queue_pop(struct sync_queue *queue)
{
    uintptr_t word;

    sync_mutex_take(&queue->mutex);
    while (!queue_pop(&queue->queue, &word))
        sync_condition_wait(&queue->not_empty, &queue->mutex);
    sync_condition_signal(&queue->not_full);
    sync_mutex_give(&queue->mutex);
    return word;
}
