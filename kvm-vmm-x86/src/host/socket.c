/* Sockets of a server; see socket.h. */
#include "host/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "host/sandbox/landlock.h"

/* More than any server has clients, so that the server accepts each one, or refuses it with a
 * reason. With a full queue a non-blocking client gets EAGAIN. */
enum { BACKLOG = 128 };

#ifndef SO_PASSRIGHTS
#define SO_PASSRIGHTS 83 /* Linux 6.16, asm-generic/socket.h */
#endif

void socket_refuse_files(int fd)
{
    int off = 0;

    (void)setsockopt(fd, SOL_SOCKET, SO_PASSRIGHTS, &off, sizeof off);
}

static int listen_on(const struct sockaddr *address, socklen_t length, const struct endpoint *where)
{
    int one = 1, saved;
    int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (where->is_unix && !where->takes_files)
        socket_refuse_files(fd); /* the sockets of its clients inherit this */
    /* bind() gives the file the mode of the descriptor, so the file is never open to others, as it
     * would be before a chmod(). */
    if ((!where->is_private || fchmod(fd, S_IRUSR | S_IWUSR) == 0) &&
        bind(fd, address, length) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    saved = errno;
    close(fd);
    errno = saved;
    return -1;
}

/* Removes a socket file that has no server. */
static void remove_stale(const struct sockaddr_un *address)
{
    struct stat status;
    int fd;

    if (lstat(address->sun_path, &status) < 0 || !S_ISSOCK(status.st_mode))
        return;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)address, sizeof *address) < 0 &&
        errno == ECONNREFUSED)
        unlink(address->sun_path);
    if (fd >= 0)
        close(fd);
}

/* Allows the sandbox to remove the socket's name at the end. */
static void allow_removal(const char *path)
{
    char folder[ENDPOINT_PATH_MAX];
    const char *slash = strrchr(path, '/');

    snprintf(folder, sizeof folder, "%.*s", slash != NULL ? (int)(slash - path) : 0, path);
    landlock_allow_path(slash == NULL ? "." : slash == path ? "/" : folder, LANDLOCK_REMOVE);
}

static int open_unix(struct socket_server *server, const struct endpoint *where)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    memcpy(address.sun_path, where->path, sizeof address.sun_path);
    snprintf(server->name, sizeof server->name, "%s", where->path);
    remove_stale(&address);
    server->listener = listen_on((const struct sockaddr *)&address, sizeof address, where);
    if (server->listener >= 0) {
        memcpy(server->path, where->path, sizeof server->path);
        allow_removal(server->path);
    }
    return server->listener;
}

/* The port that the system chose, if `asked` is 0. */
static unsigned port_of(int fd, unsigned asked)
{
    struct sockaddr_storage address;
    socklen_t length = sizeof address;

    if (asked != 0 || getsockname(fd, (struct sockaddr *)&address, &length) < 0)
        return asked;
    return ntohs(address.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&address)->sin6_port
                                               : ((struct sockaddr_in *)&address)->sin_port);
}

static int open_tcp(struct socket_server *server, const struct endpoint *where, struct error *error)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE}, *found;
    bool six = strchr(where->host, ':') != NULL;
    char port[8];
    int code;

    snprintf(port, sizeof port, "%u", where->port);
    code = getaddrinfo(where->host, port, &hints, &found);
    if (code != 0)
        return error_set(error, "%s: no such host: %s: %s", where->option, where->host,
                         gai_strerror(code));
    server->listener = listen_on(found->ai_addr, found->ai_addrlen, where);
    freeaddrinfo(found);
    if (server->listener < 0)
        return error_set(error, "%s: cannot listen on %s port %u: %s", where->option, where->host,
                         where->port, strerror(errno));
    snprintf(server->name, sizeof server->name, "%s%s%s:%u", six ? "[" : "", where->host,
             six ? "]" : "", port_of(server->listener, where->port));
    return 0;
}

/* The spare descriptor is opened again later, inside the sandbox. */
static int open_spare(void)
{
    landlock_allow_path("/dev/null", LANDLOCK_READ);
    return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

int socket_open(struct socket_server *server, const struct endpoint *address, struct error *error)
{
    int result;

    *server = (struct socket_server){.listener = -1, .client = -1, .spare = open_spare()};
    if (address->is_unix)
        result = open_unix(server, address) < 0
                     ? error_set(error, "%s: cannot listen on %s: %s", address->option,
                                 address->path, strerror(errno))
                     : 0;
    else
        result = open_tcp(server, address, error);
    if (result < 0)
        socket_close(server);
    return result;
}

void socket_close(struct socket_server *server)
{
    socket_hang_up(server);
    if (server->listener >= 0)
        close(server->listener);
    if (server->spare >= 0)
        close(server->spare);
    server->spare = -1;
    if (server->path[0] != '\0')
        unlink(server->path);
    server->listener = -1;
    server->path[0] = '\0';
}

/* No descriptor is free: accepts the client with the spare one and closes it. Otherwise the
 * listener would stay ready, and the event loop would spin. */
static void turn_away(struct socket_server *server)
{
    int fd;

    if (server->spare >= 0)
        close(server->spare);
    fd = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd >= 0)
        close(fd);
    server->spare = open_spare();
}

bool socket_accept(struct socket_server *server)
{
    int one = 1;
    int fd = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    if (fd < 0 && (errno == EMFILE || errno == ENFILE))
        turn_away(server);
    if (fd >= 0 && server->client >= 0)
        close(fd);
    if (fd < 0 || server->client >= 0)
        return false;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one); /* harmless for a unix socket */
    server->client = fd;
    return true;
}

struct stream socket_stream(const struct socket_server *server)
{
    return (struct stream){.fd = server->client, .kind = STREAM_SOCKET};
}

void socket_hang_up(struct socket_server *server)
{
    if (server->client >= 0)
        close(server->client);
    server->client = -1;
}

struct stream socket_hand_over(struct socket_server *server)
{
    struct stream client = socket_stream(server);

    server->client = -1;
    return client;
}

bool socket_is_ours(const struct stream *client)
{
    struct ucred peer;
    socklen_t size = sizeof peer;

    return getsockopt(client->fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
           (peer.uid == geteuid() || peer.uid == 0);
}

/* Room for the descriptors of one message. */
union passed {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(SOCKET_FDS_MAX * sizeof(int))];
};

int socket_receive(const struct stream *client, void *bytes, size_t size, int fds[SOCKET_FDS_MAX],
                   unsigned *count)
{
    struct iovec part = {.iov_base = bytes, .iov_len = size};
    union passed passed;
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = &passed, .msg_controllen = sizeof passed};
    ssize_t n;

    *count = 0;
    do
        n = recvmsg(client->fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return -errno;
    for (struct cmsghdr *h = CMSG_FIRSTHDR(&message); h != NULL; h = CMSG_NXTHDR(&message, h)) {
        size_t length = h->cmsg_len - CMSG_LEN(0);

        if (h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_RIGHTS)
            continue;
        for (size_t at = 0; at + sizeof(int) <= length; at += sizeof(int)) {
            int fd;

            memcpy(&fd, CMSG_DATA(h) + at, sizeof fd);
            if (*count < SOCKET_FDS_MAX) /* the buffer has room for no more */
                fds[(*count)++] = fd;
        }
    }
    return (int)n;
}

int socket_send(const struct stream *stream, const void *bytes, size_t size, const int *fds,
                unsigned count)
{
    struct iovec part = {.iov_base = (void *)bytes, .iov_len = size};
    union passed passed = {.header = {.cmsg_level = SOL_SOCKET,
                                      .cmsg_type = SCM_RIGHTS,
                                      .cmsg_len = CMSG_LEN(count * sizeof(int))}};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    ssize_t n;

    if (count > SOCKET_FDS_MAX)
        return -EINVAL;
    if (count > 0) {
        message.msg_control = &passed;
        message.msg_controllen = CMSG_SPACE(count * sizeof(int));
        memcpy(CMSG_DATA(&passed.header), fds, count * sizeof(int));
    }
    do
        n = sendmsg(stream->fd, &message, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : (int)n;
}

/* A server's name exists before it listens, so a refused connection is tried again for 0.2 s. */
int socket_connect(struct stream *stream, const char *path)
{
    const struct timeval patience = {.tv_sec = SOCKET_PATIENCE};
    const struct timespec wait = {.tv_nsec = 20000000};
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int saved;

    *stream =
        (struct stream){.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), .kind = STREAM_PLAIN};
    if (stream->fd < 0)
        return -1;
    socket_refuse_files(stream->fd);
    setsockopt(stream->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    setsockopt(stream->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    for (int i = 0; i <= 10; i++) {
        if (i > 0)
            nanosleep(&wait, NULL);
        if (connect(stream->fd, (const struct sockaddr *)&address, sizeof address) == 0)
            return 0;
        if (errno != ECONNREFUSED)
            break;
    }
    saved = errno;
    stream_close(stream);
    errno = saved;
    return -1;
}
