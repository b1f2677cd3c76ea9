/* Unix sockets for a guest's vsock; see vsock.h. */
#include "host/net/vsock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/endpoint.h"
#include "host/socket.h"

enum { EVENTS = 64 };

struct unix_host {
    struct vsock_host host;
    struct socket_server server;
};

static struct unix_host *unix_of(struct vsock_host *host)
{
    return (struct unix_host *)host;
}

static int watch(const struct unix_host *u, int fd, uint16_t tag)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
                                .data.u32 = tag};

    return epoll_ctl(u->host.fd, EPOLL_CTL_ADD, fd, &event) == 0 ? 0 : -errno;
}

static unsigned unix_news(struct vsock_host *host, struct vsock_news *news, unsigned max)
{
    struct epoll_event events[EVENTS];
    int count = epoll_wait(host->fd, events, max < EVENTS ? (int)max : EVENTS, 0);

    for (int i = 0; i < count; i++)
        news[i] = (struct vsock_news){
            .tag = (uint16_t)events[i].data.u32,
            .readable = events[i].events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR),
            .writable = events[i].events & (EPOLLOUT | EPOLLHUP | EPOLLERR)};
    return count > 0 ? (unsigned)count : 0;
}

/* Watches a connection, or closes it if that fails. */
static int take(const struct unix_host *u, int fd, uint16_t tag)
{
    int code = watch(u, fd, tag);

    if (code == 0)
        return fd;
    close(fd);
    return code;
}

static int accept_one(const struct unix_host *u)
{
    int fd;

    do
        fd = accept4(u->server.listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    while (fd < 0 && (errno == EINTR || errno == ECONNABORTED));
    return fd;
}

/* If no descriptor is left for a client, it is turned away instead of waiting in vain. */
static int unix_accept(struct vsock_host *host, uint16_t tag)
{
    struct unix_host *u = unix_of(host);
    int fd = accept_one(u);

    if (fd >= 0)
        return take(u, fd, tag);
    if ((errno != EMFILE && errno != ENFILE) || u->server.spare < 0)
        return -EAGAIN;
    close(u->server.spare);
    fd = accept_one(u);
    if (fd >= 0)
        close(fd);
    u->server.spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
    return fd >= 0 ? -EMFILE : -EAGAIN;
}

/* A unix socket connects at once or not at all. If the server's queue is full the guest gets a
 * reset, as with AF_VSOCK. */
static int unix_connect(struct vsock_host *host, uint32_t port, uint16_t tag)
{
    struct unix_host *u = unix_of(host);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int code;
    int fd = snprintf(address.sun_path, sizeof address.sun_path, "%s_%u", u->server.path, port) <
                     (int)sizeof address.sun_path
                 ? socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)
                 : -1;

    if (fd < 0)
        return -ECONNREFUSED;
    socket_refuse_files(fd);
    if (connect(fd, (const struct sockaddr *)&address, sizeof address) == 0)
        return take(u, fd, tag);
    code = -errno;
    close(fd);
    return code;
}

static struct msghdr message_of(const struct virtio_piece *pieces, unsigned count)
{
    return (struct msghdr){.msg_iov = (struct iovec *)(uintptr_t)pieces, .msg_iovlen = count};
}

_Static_assert(sizeof(struct virtio_piece) == sizeof(struct iovec) &&
                   offsetof(struct virtio_piece, size) == offsetof(struct iovec, iov_len),
               "one is used as the other");

static int64_t unix_read(struct vsock_host *host, int fd, const struct virtio_piece *pieces,
                         unsigned count)
{
    struct msghdr message = message_of(pieces, count);
    ssize_t n;

    (void)host;
    do
        n = recvmsg(fd, &message, MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

static int64_t unix_write(struct vsock_host *host, int fd, const struct virtio_piece *pieces,
                          unsigned count)
{
    struct msghdr message = message_of(pieces, count);
    ssize_t n;

    (void)host;
    do
        n = sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

static void unix_end_output(struct vsock_host *host, int fd)
{
    (void)host;
    (void)shutdown(fd, SHUT_WR);
}

static void unix_end_input(struct vsock_host *host, int fd)
{
    (void)host;
    (void)shutdown(fd, SHUT_RD);
}

static void unix_close(struct vsock_host *host, int fd)
{
    (void)host;
    close(fd);
}

static const struct vsock_host_ops ops = {.news = unix_news,
                                          .accept = unix_accept,
                                          .connect = unix_connect,
                                          .read = unix_read,
                                          .write = unix_write,
                                          .end_output = unix_end_output,
                                          .end_input = unix_end_input,
                                          .close = unix_close};

struct vsock_host *vsock_host_open(const struct vsock_config *config, unsigned guest,
                                   struct error *error)
{
    struct unix_host *u = calloc(1, sizeof *u);
    struct endpoint where;

    if (u == NULL) {
        error_set(error, "out of memory");
        return NULL;
    }
    u->host.ops = &ops;
    u->host.limit = config->descriptors;
    u->host.fd = epoll_create1(EPOLL_CLOEXEC);
    u->server.listener = -1;
    if (u->host.fd < 0)
        error_set(error, "--vsock: cannot make an epoll descriptor: %s", strerror(errno));
    else if (endpoint_unix(&where, "--vsock", config->path, guest, error) == 0) {
        where.is_private = true;
        if (socket_open(&u->server, &where, error) == 0) {
            int code = watch(u, u->server.listener, VSOCK_LISTENER);

            if (code == 0)
                return &u->host;
            error_set(error, "--vsock %s: %s", config->path, strerror(-code));
            socket_close(&u->server);
        }
    }
    if (u->host.fd >= 0)
        close(u->host.fd);
    free(u);
    return NULL;
}

void vsock_host_close(struct vsock_host *host)
{
    if (host == NULL)
        return;
    socket_close(&unix_of(host)->server);
    close(host->fd);
    free(host);
}
