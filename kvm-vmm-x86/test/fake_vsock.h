/* The host's side of a guest's sockets without a host, for unit tests and fuzzers: clients that say
 * where they connect to, bytes that come and go. */
#ifndef TEST_FAKE_VSOCK_H
#define TEST_FAKE_VSOCK_H

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/net/vsock.h"

enum { FAKE_STREAMS = 2048, FAKE_LAST = 64 * 1024 };

struct fake_stream {
    bool open, ends, output_ended, input_ended;
    const char *command; /* of a client: what it writes first */
    uint32_t waiting;    /* bytes that are to be read; each is its number, as they are counted */
    uint32_t given;
    uint32_t room, taken; /* what it takes, and has taken */
    int broken;           /* what a write says; 0: nothing */
};

struct fake_vsock {
    struct vsock_host host;
    struct fake_stream stream[FAKE_STREAMS];
    int clients[FAKE_STREAMS]; /* that are to be accepted */
    unsigned client_count;
    unsigned open;
    int next;
    int refuses; /* what connecting says; 0: it works */
    uint32_t port;
    uint8_t last[FAKE_LAST]; /* of the last write */
    size_t last_size;
    bool news; /* anything may have happened */
};

static inline unsigned fake_vsock_news(struct vsock_host *host, struct vsock_news *news,
                                       unsigned max)
{
    struct fake_vsock *f = (struct fake_vsock *)host;
    unsigned count = 0;

    if (!f->news || max < 2)
        return 0;
    f->news = false;
    news[count++] = (struct vsock_news){.tag = VSOCK_LISTENER, .readable = true};
    for (uint16_t i = 0; i < 32 && count < max; i++)
        news[count++] = (struct vsock_news){.tag = i, .readable = true, .writable = true};
    return count;
}

static inline int fake_vsock_new(struct fake_vsock *f)
{
    for (int i = 0; i < FAKE_STREAMS; i++) {
        int at = (f->next + i) % FAKE_STREAMS;

        if (!f->stream[at].open) {
            f->next = at + 1;
            f->open++;
            f->stream[at] = (struct fake_stream){.open = true, .room = UINT32_MAX};
            return at;
        }
    }
    abort(); /* more than the device may have */
}

/* A client that waits to be accepted. */
static inline struct fake_stream *fake_vsock_client(struct fake_vsock *f, const char *command)
{
    int at = fake_vsock_new(f);

    f->stream[at].command = command;
    f->clients[f->client_count++] = at;
    f->news = true;
    return &f->stream[at];
}

static inline int fake_vsock_accept(struct vsock_host *host, uint16_t tag)
{
    struct fake_vsock *f = (struct fake_vsock *)host;
    int at;

    (void)tag;
    if (f->client_count == 0)
        return -EAGAIN;
    at = f->clients[0];
    memmove(f->clients, f->clients + 1, --f->client_count * sizeof f->clients[0]);
    return at;
}

static inline int fake_vsock_connect(struct vsock_host *host, uint32_t port, uint16_t tag)
{
    struct fake_vsock *f = (struct fake_vsock *)host;

    (void)tag;
    f->port = port;
    return f->refuses != 0 ? f->refuses : fake_vsock_new(f);
}

static inline struct fake_stream *fake_vsock_stream(struct fake_vsock *f, int connection)
{
    if (connection < 0 || connection >= FAKE_STREAMS || !f->stream[connection].open)
        abort(); /* the device uses what it has closed */
    return &f->stream[connection];
}

static inline int64_t fake_vsock_read(struct vsock_host *host, int connection,
                                      const struct virtio_piece *pieces, unsigned count)
{
    struct fake_stream *s = fake_vsock_stream((struct fake_vsock *)host, connection);
    int64_t n = 0;

    for (unsigned i = 0; i < count; i++)
        for (size_t k = 0; k < pieces[i].size; k++, n++) {
            uint8_t *to = (uint8_t *)pieces[i].at + k;

            if (s->command != NULL && *s->command != '\0')
                *to = (uint8_t)*s->command++;
            else if (s->given < s->waiting)
                *to = (uint8_t)s->given++;
            else
                return n > 0 || s->ends ? n : -EAGAIN;
        }
    return n;
}

static inline int64_t fake_vsock_write(struct vsock_host *host, int connection,
                                       const struct virtio_piece *pieces, unsigned count)
{
    struct fake_vsock *f = (struct fake_vsock *)host;
    struct fake_stream *s = fake_vsock_stream(f, connection);
    size_t size = 0, n;

    if (s->broken != 0)
        return s->broken;
    f->last_size = 0;
    for (unsigned i = 0; i < count; i++) {
        n = pieces[i].size < s->room - size ? pieces[i].size : s->room - size;
        if (f->last_size + n <= FAKE_LAST) {
            memcpy(f->last + f->last_size, pieces[i].at, n);
            f->last_size += n;
        }
        size += n;
    }
    s->room -= (uint32_t)size;
    s->taken += (uint32_t)size;
    return size > 0 ? (int64_t)size : -EAGAIN;
}

static inline void fake_vsock_end_output(struct vsock_host *host, int connection)
{
    fake_vsock_stream((struct fake_vsock *)host, connection)->output_ended = true;
}

static inline void fake_vsock_end_input(struct vsock_host *host, int connection)
{
    fake_vsock_stream((struct fake_vsock *)host, connection)->input_ended = true;
}

static inline void fake_vsock_close(struct vsock_host *host, int connection)
{
    struct fake_vsock *f = (struct fake_vsock *)host;

    fake_vsock_stream(f, connection)->open = false;
    f->open--;
}

static const struct vsock_host_ops fake_vsock_ops = {.news = fake_vsock_news,
                                                     .accept = fake_vsock_accept,
                                                     .connect = fake_vsock_connect,
                                                     .read = fake_vsock_read,
                                                     .write = fake_vsock_write,
                                                     .end_output = fake_vsock_end_output,
                                                     .end_input = fake_vsock_end_input,
                                                     .close = fake_vsock_close};

static inline void fake_vsock_init(struct fake_vsock *f)
{
    memset(f, 0, sizeof *f);
    f->host = (struct vsock_host){.ops = &fake_vsock_ops, .fd = -1, .limit = UINT16_MAX};
}

#endif
