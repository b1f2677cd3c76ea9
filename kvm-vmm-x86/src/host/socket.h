/* One listening socket and at most one client. Nothing here waits: descriptors are for the event
 * loop. */
#ifndef HOST_SOCKET_H
#define HOST_SOCKET_H

#include <stdbool.h>

#include "base/endpoint.h"
#include "base/error.h"
#include "host/stream.h"

struct socket_server {
    int listener, client; /* descriptors, or -1 */
    int spare; /* a spare descriptor, closed to accept and refuse a client when the process has no
                  other left */
    char path[ENDPOINT_PATH_MAX];      /* of a unix socket, to be removed at the end */
    char name[ENDPOINT_HOST_MAX + 16]; /* as a client would write it */
};

/* -1: `error` says why connecting there is not possible. */
int socket_open(struct socket_server *server, const struct endpoint *address,
                struct error *error) MUST_CHECK;
void socket_close(struct socket_server *server);

/* Accepts the next client: true. Refuses it if there is a client already, or the process has no
 * descriptor left. */
bool socket_accept(struct socket_server *server);
/* The client, to read from and write to. */
struct stream socket_stream(const struct socket_server *server);
void socket_hang_up(struct socket_server *server);
/* The same, but its descriptor is the caller's from now on, and another client may come. */
struct stream socket_hand_over(struct socket_server *server);

/* Of a unix socket: whether the program at the other end is this user's or root's, by the kernel's
 * word (SO_PEERCRED, unix(7)). */
bool socket_is_ours(const struct stream *client);

/* Of a unix socket: a peer that passes descriptors to it gets EPERM. Else the kernel takes them,
 * and the thread that reads closes them, which may take as long as another likes (FUSE, SO_LINGER).
 * Before Linux 6.16 there is no way to refuse them. */
void socket_refuse_files(int fd);

/* As stream_read of a unix socket, with the `*count` descriptors that the other end passes: `fds`
 * has room for the most that a message can have: the kernel would close the others at once, and
 * closing a descriptor that a stranger chose may take long. */
enum { SOCKET_FDS_MAX = 253 };
int socket_receive(const struct stream *client, void *bytes, size_t size, int fds[SOCKET_FDS_MAX],
                   unsigned *count);
/* Sends bytes, and descriptors with the first of them. How many bytes, or a negative errno. */
int socket_send(const struct stream *stream, const void *bytes, size_t size, const int *fds,
                unsigned count);

/* Connects to a unix socket, for a client that waits, but for no longer than SOCKET_PATIENCE
 * seconds at each call: then EAGAIN. -1 with errno set: ECONNREFUSED, there is no server any more;
 * EAGAIN, its queue is full and it accepts no connection. `stream` is not set then. */
enum { SOCKET_PATIENCE = 10 };
int socket_connect(struct stream *stream, const char *path) MUST_CHECK;

#endif
