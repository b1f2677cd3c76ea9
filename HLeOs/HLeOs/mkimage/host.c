/*
 * The kernel functions that the file system calls, on the host: memory from the C library, and
 * checked locks for one thread. A lock that must wait would wait for ever, which is a bug, unless a
 * test has more threads (host.h).
 */
#include "host.h"

#include <stdio.h>
#include <stdlib.h>

#include "kmalloc.h"
#include "thread/sync.h"

void (*host_switch)(bool waits);

static struct thread *const holder = (struct thread *)&holder;

static void stop(const char *what)
{
    fprintf(stderr, "file system: %s\n", what);
    abort();
}

void *kmalloc(size_t size)
{
    return malloc(size);
}

void kfree(void *block)
{
    free(block);
}

void sync_mutex_take(struct sync_mutex *mutex)
{
    while (mutex->owner != NULL && host_switch != NULL)
        host_switch(true);
    if (mutex->owner != NULL)
        stop("a mutex is taken twice");
    mutex->owner = holder;
}

void sync_mutex_give(struct sync_mutex *mutex)
{
    if (mutex->owner == NULL)
        stop("a mutex is released that is not held");
    mutex->owner = NULL;
    if (host_switch != NULL)
        host_switch(false);
}

void sync_condition_wait(struct sync_condition *condition, struct sync_mutex *mutex)
{
    (void)condition;
    if (host_switch == NULL)
        stop("the only thread waits");
    mutex->owner = NULL; /* not sync_mutex_give(): the waiting thread still waits */
    host_switch(true);
    sync_mutex_take(mutex);
}

void sync_condition_broadcast(struct sync_condition *condition)
{
    (void)condition;
}
