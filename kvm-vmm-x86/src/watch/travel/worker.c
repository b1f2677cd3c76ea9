/* A thread that works on a guest that does not run; see worker.h. */
#include "watch/travel/worker.h"

#include <errno.h>

#include "host/events.h"

#define MS   UINT64_C(1000000)
#define LOOK (50 * MS)

static void *run(void *argument)
{
    struct worker *worker = argument;

    worker->work(worker);
    __atomic_store_n(&worker->done, 1, __ATOMIC_RELEASE); /* pairs with worker_run */
    events_wake();
    return NULL;
}

void worker_run(struct worker *worker)
{
    bool hurried = events_is_hurried(); /* told to end before: patience is left for this work */
    struct error error;

    worker->stop = worker->done = 0;
    worker->deadline = UINT64_MAX;
    worker->vcpu = NULL;
    if (thread_start(&worker->thread, run, worker, &error) < 0)
        return;
    while (!__atomic_load_n(&worker->done, __ATOMIC_ACQUIRE)) {
        events_run(LOOK); /* not events_run_patiently: the patience is for readers of our output */
        if (events_is_given_up() || (!hurried && events_is_hurried()))
            __atomic_store_n(&worker->stop, 1, __ATOMIC_RELAXED);
        if (!worker_must_stop(worker))
            continue;
        thread_kick(&worker->thread);
        events_run(MS);
    }
    thread_join(&worker->thread);
}

void worker_limit(struct worker *worker, unsigned limit_ms)
{
    __atomic_store_n(&worker->deadline, events_now() + limit_ms * MS, __ATOMIC_RELAXED);
}

bool worker_must_stop(const struct worker *worker)
{
    return __atomic_load_n(&worker->stop, __ATOMIC_RELAXED) ||
           events_now() >= __atomic_load_n(&worker->deadline, __ATOMIC_RELAXED);
}

/* A kick after the check sets immediate_exit before it interrupts, so that kvm_enter returns. */
bool worker_enter(struct worker *worker, struct vcpu *vcpu)
{
    int code;

    if (worker->vcpu != vcpu)
        thread_kick_flag(&vcpu->cpu.run->immediate_exit);
    worker->vcpu = vcpu;
    do {
        vcpu->cpu.run->immediate_exit = 0;
        if (worker_must_stop(worker))
            return false;
        code = kvm_enter(&vcpu->cpu);
    } while (code == -EINTR || code == -EAGAIN);
    return code == 0;
}
