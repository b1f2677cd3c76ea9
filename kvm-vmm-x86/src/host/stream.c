/* Standard streams without waiting; see stream.h. */
#include "host/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/files.h"

/* What a pipe (PIPE_BUF) and a terminal take without waiting, once poll says that they take
 * something; the terminal may make two characters of one. */
enum { PIECE_PIPE = 4096, PIECE_TERMINAL = 128, PIECE_MAX = 1 << 20 };

/* The master's side of a pseudoterminal would become that of a new one. */
static bool is_master(int fd)
{
    unsigned number;

    return ioctl(fd, TIOCGPTN, &number) == 0;
}

static int open_again(int fd)
{
    char path[32];

    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    return open(path, (fd == FILE_STDIN ? O_RDONLY : O_WRONLY) | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

void stream_open(struct stream *stream, int fd)
{
    struct stat status;
    int flags = fcntl(fd, F_GETFL), own;

    *stream = (struct stream){.fd = fd, .kind = STREAM_PLAIN};
    if (flags < 0 || fstat(fd, &status) < 0 || (flags & O_NONBLOCK))
        return;
    if (S_ISSOCK(status.st_mode)) {
        stream->kind = STREAM_SOCKET;
    } else if (S_ISFIFO(status.st_mode) || (S_ISCHR(status.st_mode) && isatty(fd) == 1)) {
        own = is_master(fd) ? -1 : open_again(fd);
        if (own >= 0)
            stream->fd = own;
        else
            stream->kind = STREAM_SHARED;
    }
}

static bool is_ready(const struct stream *stream, short events)
{
    struct pollfd ready = {.fd = stream->fd, .events = events};

    return stream->kind != STREAM_SHARED || poll(&ready, 1, 0) != 0;
}

int stream_read(const struct stream *stream, void *bytes, size_t size)
{
    ssize_t n;

    if (!is_ready(stream, POLLIN))
        return -EAGAIN;
    do
        n = stream->kind == STREAM_SOCKET ? recv(stream->fd, bytes, size, MSG_DONTWAIT)
                                          : read(stream->fd, bytes, size);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : (int)n;
}

int stream_write(const struct stream *stream, const void *bytes, size_t count)
{
    size_t piece = stream->kind != STREAM_SHARED ? PIECE_MAX
                   : isatty(stream->fd) == 1     ? PIECE_TERMINAL
                                                 : PIECE_PIPE;
    ssize_t n;

    if (!is_ready(stream, POLLOUT))
        return -EAGAIN;
    if (count > piece)
        count = piece;
    do
        n = stream->kind == STREAM_SOCKET
                ? send(stream->fd, bytes, count, MSG_DONTWAIT | MSG_NOSIGNAL)
                : write(stream->fd, bytes, count);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : (int)n;
}

bool stream_is_same(const struct stream *a, const struct stream *b)
{
    struct stat first, second;

    return fstat(a->fd, &first) == 0 && fstat(b->fd, &second) == 0 &&
           first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}
