/* A few threads that carry out jobs which may wait. One thread submits them and takes those that
 * are done. */
#ifndef HOST_WORKERS_H
#define HOST_WORKERS_H

#include <stdbool.h>

#include "base/error.h"

/* Owned by its user; it must stay in place until workers_take has returned it. */
struct worker_job {
    void (*carry_out)(struct worker_job *job);
    struct worker_job *next; /* the workers' */
};

struct workers;

/* `name`: as ps shows the threads. `begin`: what each does first; may be NULL. NULL: `error` says
 * why there are none. */
struct workers *workers_open(const char *name, unsigned threads, void (*begin)(void),
                             struct error *error) MUST_CHECK;
/* Becomes readable when a job is done, after there was none. */
int workers_fd(const struct workers *workers);
void workers_submit(struct workers *workers, struct worker_job *job);
/* A finished job; NULL: none. */
struct worker_job *workers_take(struct workers *workers);
/* False: jobs are not finished or not taken; the threads are not ended. */
bool workers_close(struct workers *workers) MUST_CHECK;

#endif
