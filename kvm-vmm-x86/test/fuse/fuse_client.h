/* A FUSE client for tests: a folder of its own on the host, a server for it, and one request at a
 * time. */
#ifndef TEST_FUSE_CLIENT_H
#define TEST_FUSE_CLIENT_H

#include <fcntl.h>
#include <ftw.h>
#include <linux/fuse.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuse/server.h"

struct fuse_client {
    char root[64]; /* what is shared */
    struct fuse_server *server;
    struct fuse_request request;
    uint8_t *in, *out; /* malloc: so that what is beyond is not ours (ASan) */
    uint8_t room[4096];
    size_t asked;
};

static inline int fuse_client_remove(const char *path, const struct stat *status, int type,
                                     struct FTW *walk)
{
    (void)status, (void)type, (void)walk;
    return remove(path);
}

static inline bool fuse_client_make(struct fuse_client *c)
{
    memset(c, 0, sizeof *c);
    snprintf(c->root, sizeof c->root, "/tmp/fuse-test-XXXXXX");
    return mkdtemp(c->root) != NULL;
}

static inline bool fuse_client_open(struct fuse_client *c, const struct fuse_options *options)
{
    struct fuse_options own = options != NULL ? *options : (struct fuse_options){0};
    struct error error;

    own.path = c->root;
    own.descriptors = 4096;
    c->server = fuse_server_open(&own, &error);
    return c->server != NULL;
}

static inline void fuse_client_close(struct fuse_client *c)
{
    fuse_server_close(c->server);
    free(c->in);
    free(c->out);
    nftw(c->root, fuse_client_remove, 16, FTW_DEPTH | FTW_PHYS);
}

/* Begins a request: header, then what fuse_client_add adds. */
static inline void fuse_client_begin(struct fuse_client *c, uint32_t opcode, uint64_t node)
{
    struct fuse_in_header header = {.opcode = opcode, .unique = 7, .nodeid = node};

    free(c->in);
    free(c->out);
    c->in = malloc(FUSE_REQUEST_MAX);
    c->out = malloc(FUSE_REPLY_HEADER_SIZE + FUSE_REPLY_MAX);
    memcpy(c->in, &header, sizeof header);
    c->asked = sizeof header;
}

static inline void fuse_client_add(struct fuse_client *c, const void *bytes, size_t size)
{
    if (size > 0)
        memcpy(c->in + c->asked, bytes, size);
    c->asked += size;
}

/* The error of its reply; 1: there is no reply. `data`: of a write. */
static inline int fuse_client_send(struct fuse_client *c, const void *data, size_t size)
{
    struct iovec piece = {(void *)data, size}, room = {c->room, sizeof c->room};
    struct fuse_out_header header;

    c->in = realloc(c->in, c->asked);
    c->request = (struct fuse_request){.in = c->in,
                                       .in_size = c->asked,
                                       .data = &piece,
                                       .data_count = size > 0,
                                       .data_size = size,
                                       .room = &room,
                                       .room_count = 1,
                                       .room_size = sizeof c->room,
                                       .out = c->out};
    fuse_server_serve(c->server, &c->request);
    if (c->request.out_size == 0)
        return 1;
    memcpy(&header, c->out, sizeof header);
    if (header.unique != 7 || header.len != c->request.out_size + c->request.moved)
        abort();
    return header.error;
}

static inline const void *fuse_client_reply(const struct fuse_client *c)
{
    return c->out + FUSE_REPLY_HEADER_SIZE;
}

/* The whole of it: arguments, and a name behind them or NULL. */
static inline int fuse_client_ask(struct fuse_client *c, uint32_t opcode, uint64_t node,
                                  const void *arguments, size_t size, const char *name)
{
    fuse_client_begin(c, opcode, node);
    fuse_client_add(c, arguments, size);
    if (name != NULL)
        fuse_client_add(c, name, strlen(name) + 1);
    return fuse_client_send(c, NULL, 0);
}

static inline int fuse_client_init(struct fuse_client *c, uint32_t major, uint32_t minor)
{
    struct fuse_init_in in = {.major = major, .minor = minor, .flags = UINT32_MAX};

    return fuse_client_ask(c, FUSE_INIT, 0, &in, sizeof in, NULL);
}

/* The node of a name, or the negative error. */
static inline int64_t fuse_client_find(struct fuse_client *c, uint64_t folder, const char *name)
{
    int code = fuse_client_ask(c, FUSE_LOOKUP, folder, NULL, 0, name);

    return code != 0 ? code
                     : (int64_t)((const struct fuse_entry_out *)fuse_client_reply(c))->nodeid;
}

/* The handle of a node, or the negative error. */
static inline int64_t fuse_client_open_file(struct fuse_client *c, uint64_t node, uint32_t flags,
                                            uint32_t opcode)
{
    struct fuse_open_in in = {.flags = flags};
    int code = fuse_client_ask(c, opcode, node, &in, sizeof in, NULL);

    return code != 0 ? code : (int64_t)((const struct fuse_open_out *)fuse_client_reply(c))->fh;
}

#endif
