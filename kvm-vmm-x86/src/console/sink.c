/* Bytes on their way to a descriptor; see sink.h. */
#include "console/sink.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { SPARE = 64 * 1024 }; /* extra room in each allocation */

void sink_init(struct sink *sink, int fd, struct lock *lock)
{
    free(sink->pending.at);
    free(sink->writing.at);
    *sink = (struct sink){.fd = fd, .lock = lock};
}

void sink_append_locked(struct sink *sink, const void *bytes, size_t count)
{
    struct sink_bytes *p = &sink->pending;

    if (count == 0 || sink->failure != 0)
        return;
    if (p->size - p->used < count) {
        size_t size = 2 * p->size > p->used + count ? 2 * p->size : p->used + count + SPARE;
        uint8_t *larger = realloc(p->at, size);

        if (larger == NULL) {
            sink->failure = -ENOMEM;
            return;
        }
        *p = (struct sink_bytes){.at = larger, .used = p->used, .size = size};
    }
    memcpy(p->at + p->used, bytes, count);
    p->used += count;
}

size_t sink_left_locked(const struct sink *sink)
{
    return sink->pending.used + sink->writing.used - sink->written;
}

/* The next piece for the main thread to write, with no lock held: a thread that writes meanwhile
 * appends to `pending`. */
static bool next_locked(struct sink *sink)
{
    struct sink_bytes done = sink->writing;

    if (sink->written < done.used)
        return true;
    done.used = 0;
    sink->writing = sink->pending;
    sink->pending = done;
    sink->written = 0;
    return sink->writing.used > 0;
}

static void fail(struct sink *sink, int failure)
{
    LOCK_FOR_BLOCK(sink->lock);

    sink->failure = failure;
    sink->pending.used = sink->writing.used = sink->written = 0;
}

bool sink_write(struct sink *sink, int (*write)(int fd, const void *bytes, size_t count),
                size_t *budget)
{
    size_t count;
    bool more;
    int n;

    lock_take(sink->lock);
    more = next_locked(sink);
    lock_release(sink->lock);
    sink->waits = false;
    if (!more)
        return false;
    count = sink->writing.used - sink->written;
    n = write(sink->fd, sink->writing.at + sink->written, count < *budget ? count : *budget);
    sink->waits = n == -EAGAIN;
    if (n > 0) {
        sink->written += (size_t)n;
        *budget -= (size_t)n;
    } else if (n != -EAGAIN) {
        fail(sink, n);
    }
    return n > 0;
}
