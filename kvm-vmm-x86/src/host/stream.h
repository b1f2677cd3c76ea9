/*
 * Standard input, output and error, and the other end of a serial port, read and written without
 * waiting.
 *
 * O_NONBLOCK belongs to an open file, which we share with the shell that started us and with its
 * other programs, so it is not set there: pipes and terminals are opened again by way of /proc,
 * sockets take it with each call, and what is left never lets anybody wait for a person or a
 * program (a regular file, /dev/null).
 *
 */
#ifndef HOST_STREAM_H
#define HOST_STREAM_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

enum { STREAM_PTY_NAME_MAX = 64, STREAM_INPUT = 0 };

enum stream_kind {
    STREAM_PLAIN,  /* read(2) and write(2) do not wait */
    STREAM_SOCKET, /* nor do recv(2) and send(2), if told so */
    STREAM_SHARED, /* it could not be opened again: polled first, and used in small pieces */
};

struct stream {
    int fd;
    enum stream_kind kind;
};

/* `fd` is a standard descriptor; it stays open, and as it is. */
void stream_open(struct stream *stream, int fd);

/* A file to write, behind what it holds or emptied; or a named pipe, or a device. */
int stream_open_file(struct stream *stream, const char *path, bool append,
                     struct error *error) MUST_CHECK;
/* The master's side of a new pseudoterminal, raw and not opened by anybody else; `path` is where
 * others may open it. */
int stream_open_pty(struct stream *stream, char path[STREAM_PTY_NAME_MAX],
                    struct error *error) MUST_CHECK;
/* How many bytes wait in that terminal for its reader. */
size_t stream_pty_unread(const struct stream *stream);
/* Whether the other end of a socket or pseudoterminal has been closed. */
bool stream_is_hung_up(const struct stream *stream);
void stream_close(struct stream *stream);

/* How many bytes were read or written; reading, 0 at the end. -EAGAIN: not now, events_want tells
 * when. Else a negative errno. */
int stream_read(const struct stream *stream, void *bytes, size_t size);
int stream_write(const struct stream *stream, const void *bytes, size_t count);

/* Whether both are the same pipe, terminal or file. */
bool stream_is_same(const struct stream *a, const struct stream *b);

#endif
