/* See stream.h. */
#include "lab/wire/stream.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

void stream_source_open(struct source *source, uint8_t stream, int fd)
{
    *source = (struct source){.fd = fd, .stream = stream, .credit = MESSAGE_WINDOW_SIZE};
}

void stream_source_close(struct source *source)
{
    if (source->fd >= 0)
        close(source->fd);
    source->fd = -1;
}

struct pollfd stream_source_poll(const struct source *source, const struct wire *wire)
{
    bool can = source->fd >= 0 && source->credit > 0 && wire_has_room(wire);

    return (struct pollfd){.fd = can ? source->fd : -1, .events = POLLIN};
}

int stream_source_pump(struct source *source, struct wire *wire)
{
    uint8_t bytes[MESSAGE_DATA_MAX];
    size_t limit = source->credit < sizeof(bytes) ? source->credit : sizeof(bytes);
    ssize_t got = read(source->fd, bytes, limit);

    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (got <= 0) { /* also EIO: no process has the terminal open any more */
        stream_source_close(source);
        return wire_send(wire, MESSAGE_END, &source->stream, 1, NULL, 0);
    }
    source->credit -= (uint32_t)got;
    source->last = bytes[got - 1];
    return wire_send(wire, MESSAGE_DATA, &source->stream, 1, bytes, (size_t)got);
}

void stream_source_grant(struct source *source, uint32_t bytes)
{
    uint32_t room = MESSAGE_WINDOW_SIZE - source->credit;

    source->credit += bytes < room ? bytes : room;
}

void stream_sink_open(struct sink *sink, uint8_t stream, int fd)
{
    sink->fd = fd;
    sink->stream = stream;
    sink->ended = sink->announced = sink->hung = false;
    sink->owed = 0;
    sink->start = sink->used = 0;
}

void stream_sink_close(struct sink *sink)
{
    if (sink->fd >= 0)
        close(sink->fd);
    sink->fd = -1;
    sink->used = 0;
}

bool stream_sink_idle(const struct sink *sink)
{
    return sink->fd < 0 || sink->used == 0;
}

int stream_sink_take(struct sink *sink, const uint8_t *bytes, size_t length)
{
    size_t end = (sink->start + sink->used) % sizeof(sink->ring);
    size_t first = sizeof(sink->ring) - end;

    if (sink->fd < 0)
        return 0;
    if (length > sizeof(sink->ring) - sink->used)
        return -EPROTO;
    if (first > length)
        first = length;
    memcpy(sink->ring + end, bytes, first);
    memcpy(sink->ring, bytes + first, length - first);
    sink->used += length;
    return 0;
}

void stream_sink_end(struct sink *sink)
{
    sink->ended = true;
}

struct pollfd stream_sink_poll(const struct sink *sink)
{
    /* With nothing to write it still waits for POLLERR, since the reader may close. It does not if
     * only POLLHUP would be reported: the agent has a real-time priority and would poll in a loop,
     * so that a command that has closed its terminal gets no CPU time to end. */
    bool listens = sink->used > 0 || !sink->hung;

    return (struct pollfd){.fd = listens ? sink->fd : -1, .events = sink->used > 0 ? POLLOUT : 0};
}

/* The descriptor may be shared with other programs, so it is not made non-blocking; a pipe that
 * polls as writable takes PIPE_BUF bytes without blocking. */
static int write_some(struct sink *sink)
{
    for (;;) {
        struct pollfd ready = {.fd = sink->fd, .events = POLLOUT};
        size_t run = sizeof(sink->ring) - sink->start;
        ssize_t done;

        if (poll(&ready, 1, 0) < 1)
            return 0;
        if (ready.revents & (POLLERR | POLLNVAL))
            return -EPIPE;
        sink->hung = ready.revents & POLLHUP;
        if (sink->used == 0)
            return 0;
        if (run > sink->used)
            run = sink->used;
        done = write(sink->fd, sink->ring + sink->start, run < PIPE_BUF ? run : PIPE_BUF);
        if (done < 0)
            return errno == EAGAIN || errno == EINTR ? 0 : -errno;
        sink->start = (sink->start + (size_t)done) % sizeof(sink->ring);
        sink->used -= (size_t)done;
        sink->owed += (uint32_t)done;
    }
}

static int announce_close(struct sink *sink, struct wire *wire)
{
    if (sink->announced || sink->ended)
        return 0;
    sink->announced = true;
    return wire_send(wire, MESSAGE_CLOSE, &sink->stream, 1, NULL, 0);
}

int stream_sink_pump(struct sink *sink, struct wire *wire)
{
    if (sink->fd < 0 || write_some(sink) < 0) {
        stream_sink_close(sink);
        return announce_close(sink, wire);
    }
    if (sink->ended && sink->used == 0) {
        stream_sink_close(sink);
        return 0;
    }
    if (sink->owed >= MESSAGE_WINDOW_SIZE / 4) {
        struct message_window window = {.stream = sink->stream, .bytes = sink->owed};

        sink->owed = 0;
        return wire_send(wire, MESSAGE_WINDOW, &window, sizeof(window), NULL, 0);
    }
    return 0;
}
