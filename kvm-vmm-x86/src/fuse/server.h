/*
 * A FUSE server (Linux: include/uapi/linux/fuse.h) for one folder of the host: what a virtio-fs
 * device asks on behalf of its guest. The guest is hostile: it reaches what is beneath the folder
 * and nothing else, makes no device nodes, no set-user-id programs and no trusted attributes, and
 * is bounded in what it can make the host remember.
 *
 * The host's user owns what the guest makes. A VMM that is not root shows that user's files as
 * root's, and the other way round root's requests are carried out as the user; a VMM of root's
 * keeps owners as they are. The guest's kernel handles POSIX locks and flock(2): they hold only
 * among its own programs.
 *
 * Not here: how requests come from the guest (dev/virtio/fs.c).
 *
 */
#ifndef FUSE_SERVER_H
#define FUSE_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/error.h"

enum {
    FUSE_HEADER_SIZE = 40,
    FUSE_REPLY_HEADER_SIZE = 16,
    FUSE_REQUEST_MAX = 68 * 1024, /* without the bytes of a write: the longest has an attribute */
    FUSE_REPLY_MAX = 64 * 1024,   /* without the bytes of a read */
    FUSE_TRANSFER_MAX = 1 << 20   /* of one read or write */
};

struct fuse_options {
    const char *path;
    bool read_only;
    bool lasting; /* nothing changes there while the guest runs, so it may cache without limit */
    const char *const *hidden; /* paths of the host that do not exist for the guest, whether */
    unsigned hidden_count;     /* they are there now or later */
    unsigned descriptors;      /* at most so many are held for the guest */
};

struct fuse_server;

/* One request and its reply. Bytes of reads and writes are moved straight to and from the guest. */
struct fuse_request {
    uint8_t *in; /* header and arguments, a copy; aligned as malloc does */
    size_t in_size;
    const struct iovec *data; /* behind the arguments of a write */
    unsigned data_count;
    size_t data_size;
    const struct iovec *room; /* behind the header of a read's reply */
    unsigned room_count;
    size_t room_size;
    uint8_t *out;    /* header and reply; FUSE_REPLY_MAX + FUSE_REPLY_HEADER_SIZE bytes */
    size_t out_size; /* of these to be sent; 0: there is no reply */
    size_t moved;    /* bytes in `room` behind them */
};

/* NULL: `error` says why the folder cannot be shared. */
struct fuse_server *fuse_server_open(const struct fuse_options *options,
                                     struct error *error) MUST_CHECK;
void fuse_server_close(struct fuse_server *server);
/* In a copy made by fork(2), before any thread serves requests there: what the copy must not share
 * with its origin's server is opened again. */
void fuse_server_leave(struct fuse_server *server);

/* Saves what the guest knows of the folder and has open there, in memory from malloc. No request
 * may be carried out meanwhile. NULL: out of memory. */
uint8_t *fuse_server_save(struct fuse_server *server, size_t *size);
/* Loads such a state into a server that has served nothing yet. The bytes are untrusted and
 * checked; they can name only files beneath the folder. Files are found by folder and name, and
 * must be the same; those that are not are stale for the guest. `*lost`: how many files and folders
 * that it had open are gone. On an error the server cannot be used. */
int fuse_server_load(struct fuse_server *server, const uint8_t *bytes, size_t size, unsigned *lost,
                     struct error *error) MUST_CHECK;

/* For each thread that is to serve requests: what it makes has exactly the mode asked for, and what
 * it writes to loses its set-user-id and set-group-id bits, as files of plain users do. */
void fuse_server_enter_thread(void);

/* How many of a request's bytes are header and arguments: what follows is a write's data. Of the
 * first FUSE_HEADER_SIZE bytes, and `size` of the whole request. */
size_t fuse_server_arguments(const uint8_t *header, size_t size);

/* Carries one out; may wait for the host. From any thread, several at a time. */
void fuse_server_serve(struct fuse_server *server, struct fuse_request *request);

#endif
