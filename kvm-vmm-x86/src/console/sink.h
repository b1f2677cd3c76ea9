/*
 * Bytes to be written to one descriptor. Any thread appends them under the owner's lock; the main
 * thread writes them, without a lock.
 */
#ifndef CONSOLE_SINK_H
#define CONSOLE_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/threads.h"

struct sink_bytes {
    uint8_t *at;
    size_t used, size;
};

struct sink {
    int fd;
    struct lock *lock;
    int failure;               /* a negative errno; under the lock, written by the main thread */
    struct sink_bytes pending; /* under the lock */
    /* the main thread's */
    struct sink_bytes writing;
    size_t written;
    bool waits; /* the descriptor takes nothing now */
};

/* Empties it as well, if it was in use. */
void sink_init(struct sink *sink, int fd, struct lock *lock);

/* With the lock held. After a failure nothing is kept. */
void sink_append_locked(struct sink *sink, const void *bytes, size_t count);
size_t sink_left_locked(const struct sink *sink);

/* Writes at most `*budget` bytes, and subtracts the number written. False if nothing is left, or
 * the descriptor takes nothing now. `write`: how many bytes, or a negative errno, -EAGAIN to wait.
 */
bool sink_write(struct sink *sink, int (*write)(int fd, const void *bytes, size_t count),
                size_t *budget);

#endif
