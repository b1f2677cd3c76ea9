/* Files packed by zstd; see pack.h. */
#include "host/files/pack.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#include "base/address.h"

/* The maximum window bounds the memory for unpacking any file; level 3 has a window of 2 MB. */
enum { PIECE = 64 * PAGE_SIZE, LEVEL = 3, WINDOW_LOG_MAX = 23 };

struct pack {
    ZSTD_CCtx *zstd;
    int fd;
    const bool *stop; /* atomic */
    uint64_t at;      /* the bytes packed so far */
    uint8_t out[PIECE];
};

struct pack *pack_open(int fd, const bool *stop)
{
    struct pack *pack = malloc(sizeof *pack);

    if (pack == NULL)
        return NULL;
    pack->fd = fd;
    pack->stop = stop;
    pack->at = 0;
    pack->zstd = ZSTD_createCCtx();
    if (pack->zstd != NULL &&
        !ZSTD_isError(ZSTD_CCtx_setParameter(pack->zstd, ZSTD_c_compressionLevel, LEVEL)) &&
        !ZSTD_isError(ZSTD_CCtx_setParameter(pack->zstd, ZSTD_c_checksumFlag, 1)))
        return pack;
    pack_close(pack);
    return NULL;
}

void pack_close(struct pack *pack)
{
    if (pack == NULL)
        return;
    ZSTD_freeCCtx(pack->zstd);
    free(pack);
}

static int write_all(int fd, const uint8_t *bytes, size_t size)
{
    while (size > 0) {
        ssize_t n = write(fd, bytes, size);

        if (n < 0 && errno == EINTR)
            continue;
        if (n == 0) /* a file system (FUSE) may return 0, and would again */
            errno = EIO;
        if (n <= 0)
            return -1;
        bytes += n;
        size -= (size_t)n;
    }
    return 0;
}

static int feed(struct pack *p, const uint8_t *bytes, size_t size, ZSTD_EndDirective how)
{
    ZSTD_inBuffer in = {.src = bytes, .size = size};
    size_t left;

    do {
        ZSTD_outBuffer out = {.dst = p->out, .size = sizeof p->out};

        if (__atomic_load_n(p->stop, __ATOMIC_RELAXED)) {
            errno = ECANCELED;
            return -1;
        }
        left = ZSTD_compressStream2(p->zstd, &out, &in, how);
        if (ZSTD_isError(left)) {
            errno = ENOMEM; /* zstd fails for no other reason here */
            return -1;
        }
        if (write_all(p->fd, p->out, out.pos) < 0)
            return -1;
    } while (how == ZSTD_e_end ? left > 0 : in.pos < in.size);
    p->at += size;
    return 0;
}

static int feed_zeroes(struct pack *p, uint64_t until)
{
    static const uint8_t zeroes[PIECE];

    while (p->at < until)
        if (feed(p, zeroes, until - p->at < PIECE ? (size_t)(until - p->at) : PIECE,
                 ZSTD_e_continue) < 0)
            return -1;
    return 0;
}

int pack_write(struct pack *pack, const uint8_t *bytes, size_t size, uint64_t at)
{
    return feed_zeroes(pack, at) < 0 ? -1 : feed(pack, bytes, size, ZSTD_e_continue);
}

int pack_end(struct pack *pack, uint64_t size)
{
    return feed_zeroes(pack, size) < 0 ? -1 : feed(pack, NULL, 0, ZSTD_e_end);
}

/* --- reading --- */

struct unpack {
    ZSTD_DCtx *zstd;
    ZSTD_inBuffer in;
    bool over; /* the frame's end was seen */
    uint8_t packed[PIECE], bytes[PIECE];
};

/* Fills `bytes` up to the end of the frame; returns the number of bytes, or -1. */
static ssize_t next_piece(struct unpack *u, int fd, const char *name, struct error *error)
{
    ZSTD_outBuffer out = {.dst = u->bytes, .size = PIECE};

    while (out.pos < PIECE && !u->over) {
        size_t left, before = out.pos;
        ssize_t n = 1;

        if (u->in.pos == u->in.size) {
            do
                n = read(fd, u->packed, PIECE);
            while (n < 0 && errno == EINTR);
            if (n < 0)
                return error_set(error, "%s: %s", name, strerror(errno));
            u->in = (ZSTD_inBuffer){.src = u->packed, .size = (size_t)n};
        }
        left = ZSTD_decompressStream(u->zstd, &out, &u->in);
        if (ZSTD_isError(left))
            return error_set(error, "%s is damaged: %s", name, ZSTD_getErrorName(left));
        if (n == 0 && left > 0 && out.pos == before)
            return error_set(error, "%s is damaged: it is cut short", name);
        u->over = left == 0;
    }
    return (ssize_t)out.pos;
}

static int read_pieces(struct unpack *u, int fd, const char *name, uint64_t size,
                       int (*each)(void *context, const uint8_t *bytes, size_t size, uint64_t at),
                       void *context, struct error *error)
{
    uint64_t at = 0;

    while (!u->over) {
        ssize_t n = next_piece(u, fd, name, error);

        if (n < 0)
            return -1;
        if ((uint64_t)n > size - at)
            return error_set(error, "%s is damaged: it holds more than %llu bytes", name,
                             (unsigned long long)size);
        if (n > 0 && each(context, u->bytes, (size_t)n, at) < 0)
            return error_set(error, "%s: cannot unpack it: %s", name, strerror(errno));
        at += (uint64_t)n;
    }
    return at == size ? 0
                      : error_set(error, "%s is damaged: it holds %llu bytes, not %llu", name,
                                  (unsigned long long)at, (unsigned long long)size);
}

int pack_read(int fd, const char *name, uint64_t size,
              int (*each)(void *context, const uint8_t *bytes, size_t size, uint64_t at),
              void *context, struct error *error)
{
    struct unpack *u = calloc(1, sizeof *u);
    int result = -1;

    if (u != NULL)
        u->zstd = ZSTD_createDCtx();
    if (u == NULL || u->zstd == NULL ||
        ZSTD_isError(ZSTD_DCtx_setParameter(u->zstd, ZSTD_d_windowLogMax, WINDOW_LOG_MAX)))
        error_set(error, "out of memory");
    else
        result = read_pieces(u, fd, name, size, each, context, error);
    if (u != NULL)
        ZSTD_freeDCtx(u->zstd);
    free(u);
    return result;
}
