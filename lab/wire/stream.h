/* The two ends of one stream of bytes over a line. A source reads a descriptor and sends what the
 * other end has room for; a sink takes what arrives, writes it to a descriptor as fast as that
 * goes, and then grants more. So a command that does not read its input holds up nothing else on
 * the line, least of all a signal. */
#ifndef LAB_WIRE_STREAM_H
#define LAB_WIRE_STREAM_H

#include <poll.h>

#include "lab/wire/wire.h"

struct source {
    int fd; /* -1: ended or never opened */
    uint8_t stream;
    uint32_t credit; /* bytes the other end still takes */
    uint8_t last;    /* the byte read last */
};

/* Takes over the descriptor. */
void stream_source_open(struct source *source, uint8_t stream, int fd);
void stream_source_close(struct source *source);
/* What to poll for now: an entry with fd -1 if nothing can be sent. */
struct pollfd stream_source_poll(const struct source *source, const struct wire *wire);
/* After poll reported the descriptor: reads once and sends. At the end of the stream it says so and
 * closes. */
__attribute__((warn_unused_result)) int stream_source_pump(struct source *source,
                                                           struct wire *wire);
/* A window arrived for this stream. */
void stream_source_grant(struct source *source, uint32_t bytes);

struct sink {
    int fd; /* -1: closed; what arrives is dropped */
    uint8_t stream;
    bool ended;     /* the other end is done; close when all is written */
    bool announced; /* the other end knows that it is closed */
    bool hung;      /* a terminal that no program has open: it polls as hung up all the time, and
                       takes keys all the same */
    uint32_t owed;  /* consumed and not yet granted again */
    size_t start, used;
    uint8_t ring[MESSAGE_WINDOW_SIZE];
};

/* Takes over the descriptor. */
void stream_sink_open(struct sink *sink, uint8_t stream, int fd);
void stream_sink_close(struct sink *sink);
bool stream_sink_idle(const struct sink *sink); /* nothing left to write */
/* -EPROTO if the other end sends more than it was granted. */
__attribute__((warn_unused_result)) int stream_sink_take(struct sink *sink, const uint8_t *bytes,
                                                         size_t length);
void stream_sink_end(struct sink *sink);
struct pollfd stream_sink_poll(const struct sink *sink);
/* Writes what the descriptor takes without blocking, and grants what was consumed. */
__attribute__((warn_unused_result)) int stream_sink_pump(struct sink *sink, struct wire *wire);

#endif
