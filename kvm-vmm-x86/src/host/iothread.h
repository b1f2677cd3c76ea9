/*
 * A thread that serves one device: it calls `run` whenever one of its descriptors has news. The
 * device waits in this thread, and in no vCPU and not in the main thread.
 */
#ifndef HOST_IOTHREAD_H
#define HOST_IOTHREAD_H

#include <stdbool.h>

#include "host/notifier.h"
#include "host/threads.h"

struct iothread {
    /* Returns whether there is more to do at once; it is called again then, and lets others have
     * the device's lock in between. */
    bool (*run)(void *context);
    void *context;
    char name[16];
    int epoll;
    struct notifier wake;
    bool stop; /* atomic */
    bool running;
    struct thread thread;
};

/* Makes it; it does not run yet. `name`: as ps shows it. */
int iothread_open(struct iothread *io, const char *name, bool (*run)(void *), void *context,
                  struct error *error) MUST_CHECK;
/* Calls `run` each time that `fd` becomes readable (edge-triggered: a notifier need not be
 * read). */
int iothread_watch(struct iothread *io, int fd, struct error *error) MUST_CHECK;
int iothread_start(struct iothread *io, struct error *error) MUST_CHECK;
/* `run` is called soon; from any thread. */
void iothread_wake(struct iothread *io);
/* Ends the thread after its current `run`. May be called for one that was never opened. */
void iothread_close(struct iothread *io);

#endif
