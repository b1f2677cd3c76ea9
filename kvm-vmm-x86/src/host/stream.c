/* Streams that do not block; see stream.h. */
#include "host/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "common/fmt.h"
#include "host/files/files.h"
#include "host/sandbox/landlock.h"

/* The bytes that a pipe (PIPE_BUF) and a terminal take without blocking once poll reports them
 * writable; the terminal may turn one character into two. */
enum { PIECE_PIPE = 4096, PIECE_TERMINAL = 128, PIECE_MAX = 1 << 20 };

/* Opening the master side of a pseudoterminal again would make a new one. */
static bool is_master(int fd)
{
    unsigned number;

    return ioctl(fd, TIOCGPTN, &number) == 0;
}

static int open_again(int fd)
{
    char path[32];

    fmt_snprint(path, sizeof path, "/proc/self/fd/%d", fd);
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

int stream_open_file(struct stream *stream, const char *path, bool append, struct error *error)
{
    int fd =
        open(path,
             O_WRONLY | O_CREAT | (append ? O_APPEND : O_TRUNC) | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
             0666);

    if (fd < 0)
        return error_set(error, "cannot write %s: %s", path,
                         errno == ENXIO ? "no process reads this pipe" : strerror(errno));
    *stream = (struct stream){.fd = fd, .kind = STREAM_PLAIN};
    return 0;
}

/* Without this the terminal would echo all output back as input. */
static int set_raw(const char *path)
{
    struct termios settings;
    int fd = open(path, O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC), result = -1;

    if (fd < 0)
        return -1;
    if (tcgetattr(fd, &settings) == 0) {
        cfmakeraw(&settings);
        result = tcsetattr(fd, TCSANOW, &settings);
    }
    landlock_allow(fd, LANDLOCK_WRITE); /* for stream_pty_unread */
    close(fd); /* the master's side sees a hang-up from now on, until another opens it */
    return result;
}

int stream_open_pty(struct stream *stream, char path[STREAM_PTY_NAME_MAX], struct error *error)
{
    int fd = posix_openpt(O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

    *stream = (struct stream){.fd = fd, .kind = STREAM_PLAIN};
    if (fd >= 0 && grantpt(fd) == 0 && unlockpt(fd) == 0 &&
        ptsname_r(fd, path, STREAM_PTY_NAME_MAX) == 0 && set_raw(path) == 0)
        return 0;
    error_set(error, "cannot make a pseudoterminal: %s", strerror(errno));
    stream_close(stream);
    return -1;
}

size_t stream_pty_unread(const struct stream *stream)
{
    char path[STREAM_PTY_NAME_MAX];
    int count = 0, fd;

    if (stream_is_hung_up(stream) || ptsname_r(stream->fd, path, sizeof path) != 0)
        return 0;
    fd = open(path, O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0 || ioctl(fd, FIONREAD, &count) < 0)
        count = 0;
    if (fd >= 0)
        close(fd);
    return (size_t)count;
}

bool stream_is_hung_up(const struct stream *stream)
{
    struct pollfd state = {.fd = stream->fd};

    return poll(&state, 1, 0) > 0 && (state.revents & (POLLHUP | POLLERR)) != 0;
}

void stream_close(struct stream *stream)
{
    if (stream->fd >= 0)
        close(stream->fd);
    stream->fd = -1;
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
