/* Threads that carry out jobs; see workers.h. */
#include "host/workers.h"

#include <stdlib.h>

#include "host/notifier.h"
#include "host/threads.h"

enum { THREADS_MAX = 16 };

struct queue {
    struct worker_job *first, **end;
};

struct workers {
    const char *name;
    void (*begin)(void);
    struct notifier done;
    struct lock lock; /* protects the fields below */
    struct condition news;
    struct queue todo, finished;
    unsigned waiting;   /* jobs in `todo` */
    unsigned idle;      /* threads that wait for a job */
    unsigned in_flight; /* jobs submitted and not yet taken back */
    bool stop;
    struct thread threads[THREADS_MAX];
    unsigned count, limit; /* threads that run, and that may run */
};

static void put(struct queue *q, struct worker_job *job)
{
    job->next = NULL;
    *q->end = job;
    q->end = &job->next;
}

static struct worker_job *take(struct queue *q)
{
    struct worker_job *job = q->first;

    if (job != NULL) {
        q->first = job->next;
        if (q->first == NULL)
            q->end = &q->first;
    }
    return job;
}

static void finish_locked(struct workers *w, struct worker_job *job)
{
    if (w->finished.first == NULL)
        notifier_signal(&w->done);
    put(&w->finished, job);
}

static void *work(void *argument)
{
    struct workers *w = argument;
    struct worker_job *job;

    thread_name("%s", w->name);
    if (w->begin != NULL)
        w->begin();
    lock_take(&w->lock);
    while (!w->stop) {
        job = take(&w->todo);
        if (job == NULL) {
            w->idle++;
            condition_wait(&w->news, &w->lock);
            w->idle--;
            continue;
        }
        w->waiting--;
        lock_release(&w->lock);
        job->carry_out(job);
        lock_take(&w->lock);
        finish_locked(w, job);
    }
    lock_release(&w->lock);
    return NULL;
}

/* The first thread starts with the first job, others while jobs wait. By then the program is in its
 * sandbox, which they inherit. */
void workers_submit(struct workers *w, struct worker_job *job)
{
    struct error error;

    lock_take(&w->lock);
    w->in_flight++;
    if (w->waiting >= w->idle && w->count < w->limit &&
        thread_start(&w->threads[w->count], work, w, &error) == 0)
        w->count++;
    if (w->count > 0) {
        put(&w->todo, job);
        w->waiting++;
        condition_wake_all(&w->news);
        lock_release(&w->lock);
        return;
    }
    lock_release(&w->lock);
    job->carry_out(job); /* no thread could be started */
    lock_take(&w->lock);
    finish_locked(w, job);
    lock_release(&w->lock);
}

struct worker_job *workers_take(struct workers *w)
{
    LOCK_FOR_BLOCK(&w->lock);
    struct worker_job *job = take(&w->finished);

    w->in_flight -= job != NULL;
    return job;
}

int workers_fd(const struct workers *w)
{
    return w->done.fd;
}

static void stop(struct workers *w)
{
    lock_take(&w->lock);
    w->stop = true;
    condition_wake_all(&w->news);
    lock_release(&w->lock);
    while (w->count > 0)
        thread_join(&w->threads[--w->count]);
    notifier_close(&w->done);
    free(w);
}

bool workers_close(struct workers *w)
{
    bool idle;

    lock_take(&w->lock);
    idle = w->in_flight == 0;
    lock_release(&w->lock);
    if (idle)
        stop(w);
    return idle;
}

struct workers *workers_open(const char *name, unsigned threads, void (*begin)(void),
                             struct error *error)
{
    struct workers *w = calloc(1, sizeof *w);

    if (w == NULL) {
        error_set(error, "out of memory");
        return NULL;
    }
    w->name = name;
    w->begin = begin;
    w->todo.end = &w->todo.first;
    w->finished.end = &w->finished.first;
    lock_init(&w->lock);
    condition_init(&w->news);
    if (notifier_open(&w->done, error) < 0) {
        free(w);
        return NULL;
    }
    w->limit = threads < THREADS_MAX ? threads : THREADS_MAX;
    return w;
}
