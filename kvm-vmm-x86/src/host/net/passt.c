/*
 * A network by passt(1), or another program with the protocol of QEMU's stream sockets: on a unix
 * socket, each frame follows its length in four bytes, big-endian.
 *
 * When the program has gone, the link is down for good.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/endpoint.h"
#include "host/net/net.h"
#include "host/socket.h"

enum { LENGTH = 4, READ_MAX = 4 * NET_FRAME_MAX };

struct net_passt {
    struct net_host host;
    int socket;
    size_t in_used, in_at; /* bytes read, and how many of them were handed on */
    size_t out_used, out_at;
    uint8_t in[READ_MAX];
    uint8_t out[LENGTH + NET_FRAME_MAX]; /* the frame being sent */
};

static void hang_up(struct net_passt *p)
{
    p->host.up = false;
    p->in_used = p->in_at = p->out_used = p->out_at = 0;
}

/* True: the whole frame is sent, or the program has gone. */
static bool flush(struct net_passt *p)
{
    while (p->out_at < p->out_used) {
        ssize_t n = send(p->socket, p->out + p->out_at, p->out_used - p->out_at,
                         MSG_DONTWAIT | MSG_NOSIGNAL);

        if (n < 0 && errno == EAGAIN)
            return false;
        if (n < 0 && errno != EINTR)
            hang_up(p);
        if (n > 0)
            p->out_at += (size_t)n;
    }
    return true;
}

static bool passt_service(struct net_host *host)
{
    net_forget(host->fd);
    (void)flush((struct net_passt *)host);
    return false;
}

static int passt_send(struct net_host *host, const struct virtio_piece *pieces, unsigned count,
                      size_t size)
{
    struct net_passt *p = (struct net_passt *)host;
    uint32_t length;

    if (!flush(p))
        return -EAGAIN;
    size = net_gather(pieces, count, p->out + LENGTH, NET_FRAME_MAX);
    if (size < NET_FRAME_MIN || !host->up)
        return 0;
    length = htonl((uint32_t)size);
    memcpy(p->out, &length, LENGTH);
    p->out_used = LENGTH + size;
    p->out_at = 0;
    (void)flush(p);
    return 0;
}

/* The size of a frame that has arrived as a whole, or 0. A frame that is too long ends the link. */
static size_t whole_frame(struct net_passt *p)
{
    uint32_t length;

    if (p->in_used - p->in_at < LENGTH)
        return 0;
    memcpy(&length, p->in + p->in_at, LENGTH);
    length = ntohl(length);
    if (length == 0 || length > NET_FRAME_MAX) {
        hang_up(p);
        return 0;
    }
    return p->in_used - p->in_at >= LENGTH + length ? length : 0;
}

static size_t passt_receive(struct net_host *host, uint8_t *frame, size_t room)
{
    struct net_passt *p = (struct net_passt *)host;
    size_t size = whole_frame(p);
    ssize_t n;

    while (size == 0 && host->up) {
        memmove(p->in, p->in + p->in_at, p->in_used - p->in_at);
        p->in_used -= p->in_at;
        p->in_at = 0;
        n = recv(p->socket, p->in + p->in_used, sizeof p->in - p->in_used, MSG_DONTWAIT);
        if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
            hang_up(p); /* earlier frames were handed on already */
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        p->in_used += (size_t)n;
        size = whole_frame(p);
    }
    if (size == 0 || size > room)
        return 0;
    memcpy(frame, p->in + p->in_at + LENGTH, size);
    p->in_at += LENGTH + size;
    return size;
}

static void passt_close(struct net_host *host)
{
    struct net_passt *p = (struct net_passt *)host;

    if (p->socket >= 0)
        close(p->socket);
    if (host->fd >= 0)
        close(host->fd);
    free(p);
}

static const struct net_host_ops ops = {
    .service = passt_service, .send = passt_send, .receive = passt_receive, .close = passt_close};

static int connect_to(struct net_passt *p, const struct net_config *config, struct error *error)
{
    char path[ENDPOINT_PATH_MAX] = "";
    struct stream stream;

    if (config->name_length >= sizeof path)
        return error_set(error, "--net passt: the path has more than %zu bytes", sizeof path - 1);
    memcpy(path, config->name, config->name_length);
    if (socket_connect(&stream, path) < 0)
        return error_set(
            error, "--net passt:%s: %s (passt --socket %s makes it)", path,
            errno == EAGAIN ? "it accepts no connection (is it stopped?)" : strerror(errno), path);
    p->socket = stream.fd;
    p->host.fd = net_watch(p->socket);
    return p->host.fd >= 0 ? 0 : error_set(error, "--net passt: %s", strerror(errno));
}

struct net_host *net_open_passt(const struct net_config *config, struct error *error)
{
    struct net_passt *p = calloc(1, sizeof *p);

    if (p == NULL) {
        (void)error_set(error, "--net passt: out of memory");
        return NULL;
    }
    p->socket = -1;
    p->host = (struct net_host){.ops = &ops, .fd = -1, .mtu = NET_MTU_MAX, .up = true};
    if (connect_to(p, config, error) == 0)
        return &p->host;
    passt_close(&p->host);
    return NULL;
}
