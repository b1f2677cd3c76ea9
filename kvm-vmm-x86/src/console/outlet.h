/*
 * What a port of a guest leads to: a pseudoterminal, a file, a unix socket with one client, or a
 * descriptor that was open when the program started. For the main thread; nothing here waits.
 */
#ifndef OUTLET_H
#define OUTLET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/config.h"
#include "base/error.h"
#include "host/events.h"
#include "host/socket.h"
#include "host/stream.h"

struct outlet {
    enum serial_kind kind;
    int fd;      /* of SERIAL_DESCRIPTOR: set between outlet_init and outlet_open */
    bool takes;  /* output is read at the other end */
    bool sends;  /* input may come from there */
    int failure; /* 0, or the negative errno that the file failed with */
    /* its own */
    void (*takes_changed)(void *context, bool takes);
    void *context;
    struct stream stream; /* fd -1: nothing is open */
    struct socket_server server;
    struct event_source source, listener;
    struct event_timer look;
};

enum { OUTLET_WHERE_MAX = 128 };

/* `takes_changed` is called when `takes` changes or may have, `ready` when bytes can be read or
 * written, as outlet_want asked. */
void outlet_init(struct outlet *outlet, enum serial_kind kind,
                 void (*takes_changed)(void *context, bool takes), void (*ready)(void *context),
                 void *context);
/* `path` is what `option` says for this guest; with `append` a file keeps what it holds. `where`
 * becomes the path at which others may connect, for the user; else "". */
int outlet_open(struct outlet *outlet, unsigned guest, const char *option, const char *path,
                bool append, char where[OUTLET_WHERE_MAX], struct error *error) MUST_CHECK;
/* Which events are waited for while the other end is open. */
void outlet_want(struct outlet *outlet, bool read, bool write);
/* How many bytes were read or written; 0: none, now or ever. */
size_t outlet_read(struct outlet *outlet, void *bytes, size_t room);
size_t outlet_write(struct outlet *outlet, const void *bytes, size_t count);
/* Whether the file, the terminal or a client is open. */
static inline bool outlet_is_open(const struct outlet *outlet)
{
    return outlet->stream.fd >= 0;
}
/* Disconnects a client; a terminal stays open for its next user. */
void outlet_hang_up(struct outlet *outlet);
/* How many bytes were written, are not read yet, and are lost when the outlet is closed. */
size_t outlet_unread(const struct outlet *outlet);
void outlet_close(struct outlet *outlet);

#endif
