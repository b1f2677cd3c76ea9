/* Work on an ended guest; see worker.h. */
#include "watch/postmortem/worker.h"

#include <errno.h>

#include "host/events.h"

#define LOOK  UINT64_C(50000000) /* nanoseconds */
#define AGAIN UINT64_C(1000000)

static void *run(void *argument)
{
    struct worker *worker = argument;

    thread_kick_flag(&worker->vcpu->cpu.run->immediate_exit);
    worker->work(worker);
    pause_thread_over(worker->vcpu);
    __atomic_store_n(&worker->done, 1, __ATOMIC_RELEASE); /* pairs with the look of worker_run */
    events_wake();
    return NULL;
}

void worker_run(struct worker *worker, unsigned limit_ms)
{
    uint64_t end = events_now() + limit_ms * UINT64_C(1000000);
    struct vcpu *vcpu = worker->vcpu;
    struct error error;

    worker->done = 0;
    vcpu->requests = 0; /* those of its former life */
    vcpu->cpu.run->immediate_exit = 0;
    if (pause_start_thread(vcpu, run, worker, &error) < 0)
        return;
    while (!__atomic_load_n(&worker->done, __ATOMIC_ACQUIRE)) {
        if (events_now() < end && events_run_patiently(LOOK))
            continue;
        vcpu_kick(vcpu, VCPU_STOP); /* more than once: one may come right before it enters */
        events_run(AGAIN);
    }
    thread_join(&vcpu->thread);
}

bool worker_must_stop(const struct worker *worker)
{
    return __atomic_load_n(&worker->vcpu->requests, __ATOMIC_ACQUIRE) & VCPU_STOP;
}

bool worker_enter(const struct worker *worker)
{
    int code;

    do {
        if (worker_must_stop(worker))
            return false;
        worker->vcpu->cpu.run->immediate_exit = 0;
        code = kvm_enter(&worker->vcpu->cpu);
    } while (code == -EINTR || code == -EAGAIN);
    return code == 0;
}
