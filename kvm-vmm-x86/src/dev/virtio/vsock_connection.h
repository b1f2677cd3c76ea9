/*
 * The connections of a virtio socket device (vsock.h), and what goes from the guest to the host's
 * programs. With the device's lock held.
 */
#ifndef DEV_VIRTIO_VSOCK_CONNECTION_H
#define DEV_VIRTIO_VSOCK_CONNECTION_H

#include "dev/virtio/vsock.h"

enum {
    VSOCK_HEADER = sizeof(struct virtio_vsock_header),
    VSOCK_PIECES = 32,
    VSOCK_COMMAND_MAX = 32, /* "CONNECT PORT\n" */
    VSOCK_BUCKETS = 256,
    VSOCK_FIRST_PORT = 1 << 30 /* of the host, for clients that connect to the guest */
};

enum vsock_phase {
    VSOCK_FREE,
    VSOCK_ASKED,     /* a client has connected and not sent its command yet */
    VSOCK_REQUESTED, /* the guest has not answered */
    VSOCK_OPEN,
    VSOCK_ENDING /* it has ended, and the guest has to be told */
};

struct vsock_connection {
    uint8_t phase; /* enum vsock_phase */
    bool readable, writable;
    bool want_request, want_response, want_credit, want_reset, want_shutdown, asked_credit;
    uint8_t guest_ends; /* VIRTIO_VSOCK_SHUT_: what the guest does no more */
    uint8_t host_ends;  /* and the host's program */
    bool output_ended;  /* the host's program has been told so */
    int16_t next;       /* of its bucket; -1: the last */
    int fd;             /* the host's; -1: closed */
    uint32_t guest_port, host_port;
    uint32_t received, forwarded, told; /* bytes from the guest; on to the host; as it knows */
    uint32_t sent, guest_forwarded, guest_buffer; /* bytes to the guest, and its credit */
    uint32_t head, used;                          /* of `buffer` */
    uint8_t *buffer; /* VSOCK_BUFFER bytes for the host; NULL: it takes all at once */
    char command[VSOCK_COMMAND_MAX];
    uint8_t command_size;
};

/* An answer to a packet that belongs to no connection. */
struct vsock_refusal {
    uint32_t guest_port, host_port;
};

struct vsock_connections {
    struct vsock_connection at[VSOCK_CONNECTIONS_MAX];
    int16_t bucket[VSOCK_BUCKETS];
    unsigned end;  /* no connection from here on is in use */
    unsigned turn; /* whose packet is next */
    bool knocking; /* clients may wait to be accepted */
    bool held;     /* packets of the guest's may wait for room among the refusals */
    struct vsock_refusal refusals[VSOCK_REFUSALS_MAX];
    unsigned first_refusal, refusal_count;
    struct virtio_part parts[VSOCK_QUEUE_SIZE];
};

struct vsock_connection *vsock_connection_find(struct vsock_connections *all, uint32_t guest_port,
                                               uint32_t host_port);
/* An unused connection; NULL: the maximum is in use. Call begin, then name once its ports are
 * known, and end. */
struct vsock_connection *vsock_connection_free(struct vsock *v);
void vsock_connection_begin(struct vsock_connections *all, struct vsock_connection *c,
                            enum vsock_phase phase, int fd);
void vsock_connection_name(struct vsock_connections *all, struct vsock_connection *c,
                           uint32_t guest_port, uint32_t host_port);
void vsock_connection_end(struct vsock *v, struct vsock_connection *c);
void vsock_connection_end_all(struct vsock *v);
/* Ends the connection; the guest gets a reset. */
void vsock_connection_break(struct vsock *v, struct vsock_connection *c);

/* The host's program reads no more. What it has sent is still read, and the guest is told of
 * both. */
void vsock_connection_lose_reader(struct vsock_connection *c);

/* How many bytes the guest has room for. */
uint32_t vsock_connection_credit(const struct vsock_connection *c);
/* Bytes for the guest may wait in the host's socket, and it wants them. */
bool vsock_connection_wants_data(const struct vsock_connection *c);
/* The next connection, in turn, that has a packet for the guest; NULL: none. */
struct vsock_connection *vsock_connection_choose(struct vsock_connections *all);
/* Both sides are done. */
bool vsock_connection_is_over(const struct vsock_connection *c);

/* Passes the data of a guest's packet to the host, or keeps it, within the guest's credit. */
void vsock_connection_take(struct vsock *v, struct vsock_connection *c,
                           const struct virtio_chain *chain, uint32_t size);
/* Passes the data that was kept to the host, then the end of the stream if the guest has sent
 * it. */
void vsock_connection_drain(struct vsock *v, struct vsock_connection *c);

#endif
