/*
 * A disk of an NBD server, reached through a unix socket (libnbd(3), 1.14): qemu-nbd and others
 * serve formats for which this project has no code. The library is loaded when a guest has such a
 * disk.
 *
 * No thread blocks on the server: its socket and a timer are in an epoll, whose descriptor the
 * device's thread watches. A server that exits, or does not answer for a while, is given up: all
 * requests in flight and all later ones end with an I/O error.
 *
 * A request is sent piece by piece through a buffer, since guest memory is in many places and the
 * protocol takes one.
 */
#include <dlfcn.h>
#include <errno.h>
#include <libnbd.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "host/disk/disk.h"
#include "host/socket.h"

/* CONNECT: the seconds a server has for the handshake. SILENCE: after this many seconds without an
 * answer, at most twice as many, the server is given up. */
enum {
    BUFFER_MAX = 256 * 1024,
    PATH_SIZE = 108,
    ROUNDS = 16,
    BLOCK_MAX = 4096,
    CONNECT = 10,
    SILENCE = 15
};

/* The functions of the library that are used. */
#define FUNCTIONS(X)                                                                               \
    X(create);                                                                                     \
    X(close);                                                                                      \
    X(get_error);                                                                                  \
    X(set_export_name);                                                                            \
    X(aio_connect_unix);                                                                           \
    X(aio_is_connecting);                                                                          \
    X(aio_is_ready);                                                                               \
    X(aio_is_dead);                                                                                \
    X(aio_is_closed);                                                                              \
    X(aio_get_fd);                                                                                 \
    X(aio_get_direction);                                                                          \
    X(aio_notify_read);                                                                            \
    X(aio_notify_write);                                                                           \
    X(aio_pread);                                                                                  \
    X(aio_pwrite);                                                                                 \
    X(aio_flush);                                                                                  \
    X(aio_trim);                                                                                   \
    X(aio_zero);                                                                                   \
    X(get_size);                                                                                   \
    X(get_block_size);                                                                             \
    X(is_read_only);                                                                               \
    X(can_flush);                                                                                  \
    X(can_trim);                                                                                   \
    X(can_zero);

#define MEMBER(name) typeof(&nbd_##name) name
struct library {
    void *handle;
    FUNCTIONS(MEMBER)
};
static struct library library;

struct nbd_disk;

/* A request in flight. */
struct order {
    struct nbd_disk *nbd;
    struct order *next;           /* in the list of answers */
    struct disk_request *request; /* NULL: this one is free */
    uint8_t *buffer;
    uint64_t size; /* of the piece in flight */
    uint64_t room; /* of `buffer` */
    int error;     /* of the server's answer */
};

struct nbd_disk {
    struct disk disk;
    struct nbd_handle *handle; /* NULL: the server is given up */
    int timer;
    uint32_t wanted; /* events of the socket */
    bool answered;   /* an answer came since the timer was set */
    bool can_flush, can_trim, can_zero;
    unsigned in_flight;
    struct order *answers; /* orders with an answer that is not processed yet */
    struct order orders[DISK_REQUESTS_MAX];
};

static int load(struct error *error)
{
    bool whole = true;

    if (library.handle != NULL)
        return 0;
    library.handle = dlopen("libnbd.so.0", RTLD_NOW | RTLD_LOCAL);
    if (library.handle == NULL)
        return error_set(error, "--disk nbd: %s (Debian's package libnbd0)", dlerror());
#define LOOK_UP(name)                                                                              \
    library.name = (typeof(&nbd_##name))dlsym(library.handle, "nbd_" #name);                       \
    whole &= library.name != NULL
    FUNCTIONS(LOOK_UP)
    if (!whole) {
        dlclose(library.handle);
        library.handle = NULL;
        return error_set(error, "--disk nbd: libnbd.so.0 is too old");
    }
    return 0;
}

/* --- bytes between the guest's pieces and the buffer --- */

/* Copies the next `size` bytes of a request: for a read to the guest, for a write from it. */
static void copy(struct disk_request *r, uint8_t *buffer, uint64_t size)
{
    while (size > 0) {
        uint64_t n = r->pieces->size < size ? r->pieces->size : size;

        if (r->order == DISK_READ)
            memcpy(r->pieces->at, buffer, n);
        else
            memcpy(buffer, r->pieces->at, n);
        r->pieces->at = (uint8_t *)r->pieces->at + n;
        r->pieces->size -= n;
        if (r->pieces->size == 0) {
            r->pieces++;
            r->count--;
        }
        buffer += n;
        size -= n;
    }
}

/* --- requests --- */

/* The library may call this from any of its functions, so the answer is processed later. */
static int on_answer(void *context, int *error)
{
    struct order *o = context;

    o->error = *error;
    o->next = o->nbd->answers;
    o->nbd->answers = o;
    o->nbd->answered = true;
    return 1; /* the library need not keep it */
}

static void set_timer(struct nbd_disk *n, unsigned seconds)
{
    struct itimerspec at = {.it_value.tv_sec = seconds};

    n->answered = false;
    (void)timerfd_settime(n->timer, 0, &at, NULL);
}

static void finish(struct order *o, int code)
{
    struct disk_request *r = o->request;

    free(o->buffer);
    o->buffer = NULL;
    o->request = NULL;
    o->nbd->in_flight--;
    r->done(r, code);
}

/* Ends all requests in flight with an error, after the library has dropped them. */
static void give_up(struct nbd_disk *n, const char *why)
{
    snprintf(n->disk.trouble, sizeof n->disk.trouble, "disk %s: %s; it has I/O errors from now on",
             n->disk.id, why);
    library.close(n->handle); /* also closes its socket, which leaves the epoll */
    n->handle = NULL;
    n->answers = NULL;
    for (unsigned i = 0; i < DISK_REQUESTS_MAX; i++)
        if (n->orders[i].request != NULL)
            finish(&n->orders[i], -EIO);
}

/* Sends the next piece of a request. False: the library does not take it. */
static bool ask(struct order *o)
{
    struct nbd_disk *n = o->nbd;
    struct disk_request *r = o->request;
    nbd_completion_callback then = {.callback = on_answer, .user_data = o};
    bool by_buffer =
        r->order == DISK_READ || r->order == DISK_WRITE || (r->order >= DISK_ZERO && !n->can_zero);

    o->size = by_buffer && r->size > o->room ? o->room : r->size;
    switch (r->order) {
    case DISK_READ:
        return library.aio_pread(n->handle, o->buffer, o->size, r->offset, then, 0) >= 0;
    case DISK_WRITE:
        copy(r, o->buffer, o->size);
        return library.aio_pwrite(n->handle, o->buffer, o->size, r->offset, then, 0) >= 0;
    case DISK_FLUSH:
        return library.aio_flush(n->handle, then, 0) >= 0;
    case DISK_DISCARD:
        return library.aio_trim(n->handle, o->size, r->offset, then, 0) >= 0;
    default:
        if (by_buffer)
            return library.aio_pwrite(n->handle, o->buffer, o->size, r->offset, then, 0) >= 0;
        return library.aio_zero(n->handle, o->size, r->offset, then,
                                r->order == DISK_ZERO ? LIBNBD_CMD_FLAG_NO_HOLE : 0) >= 0;
    }
}

static void look_at_answers(struct nbd_disk *n)
{
    struct order *o;

    while ((o = n->answers) != NULL) {
        struct disk_request *r = o->request;

        n->answers = o->next;
        if (o->error != 0) {
            finish(o, -EIO);
            continue;
        }
        if (r->order == DISK_READ)
            copy(r, o->buffer, o->size);
        r->offset += o->size;
        r->size -= o->size;
        if (r->size == 0)
            finish(o, 0);
        else if (!ask(o))
            finish(o, -EIO);
    }
}

/* There is always a free order: one for each request that the device may have. */
static struct order *free_order(struct nbd_disk *n)
{
    for (unsigned i = 0; i < DISK_REQUESTS_MAX; i++)
        if (n->orders[i].request == NULL)
            return &n->orders[i];
    return NULL;
}

static void nbd_submit(struct disk *disk, struct disk_request *r)
{
    struct nbd_disk *n = (struct nbd_disk *)disk;
    struct order *o = n->handle != NULL ? free_order(n) : NULL;
    bool nothing_to_do =
        (r->order == DISK_FLUSH && !n->can_flush) || (r->order == DISK_DISCARD && !n->can_trim);

    if (o == NULL || nothing_to_do) {
        r->done(r, o == NULL ? -EIO : 0);
        return;
    }
    *o = (struct order){.nbd = n, .request = r};
    o->room = r->order == DISK_FLUSH || r->size < BUFFER_MAX ? r->size : BUFFER_MAX;
    o->buffer = o->room > 0 && r->order != DISK_DISCARD ? calloc(1, o->room) : NULL;
    if (n->in_flight++ == 0)
        set_timer(n, SILENCE);
    if ((o->buffer == NULL && r->order != DISK_FLUSH && r->order != DISK_DISCARD) || !ask(o))
        finish(o, -EIO);
}

/* Moves bytes until the socket would block, but for at most ROUNDS rounds; then the epoll reports
 * the rest. */
static void move(struct nbd_disk *n)
{
    for (unsigned i = 0; i < ROUNDS; i++) {
        unsigned direction = library.aio_get_direction(n->handle);
        struct pollfd fd = {.fd = library.aio_get_fd(n->handle)};

        fd.events = (short)((direction & LIBNBD_AIO_DIRECTION_READ ? POLLIN : 0) |
                            (direction & LIBNBD_AIO_DIRECTION_WRITE ? POLLOUT : 0));
        if (poll(&fd, 1, 0) <= 0)
            return;
        if (direction & LIBNBD_AIO_DIRECTION_READ && fd.revents & (POLLIN | POLLHUP | POLLERR))
            (void)library.aio_notify_read(n->handle);
        else
            (void)library.aio_notify_write(n->handle);
        if (library.aio_is_dead(n->handle) || library.aio_is_closed(n->handle))
            return;
    }
}

static void watch(struct nbd_disk *n)
{
    unsigned direction = library.aio_get_direction(n->handle);
    struct epoll_event event = {.events = (direction & LIBNBD_AIO_DIRECTION_READ ? EPOLLIN : 0u) |
                                          (direction & LIBNBD_AIO_DIRECTION_WRITE ? EPOLLOUT : 0u)};

    if (event.events != n->wanted)
        (void)epoll_ctl(n->disk.fd, EPOLL_CTL_MOD, library.aio_get_fd(n->handle), &event);
    n->wanted = event.events;
}

static void look_at_timer(struct nbd_disk *n)
{
    uint64_t ticks;

    if (read(n->timer, &ticks, sizeof ticks) != sizeof ticks || n->in_flight == 0)
        return;
    if (n->answered)
        set_timer(n, SILENCE);
    else
        give_up(n, "its NBD server does not answer");
}

static void nbd_collect(struct disk *disk)
{
    struct nbd_disk *n = (struct nbd_disk *)disk;

    if (n->handle == NULL)
        return;
    move(n);
    look_at_answers(n);
    if (library.aio_is_dead(n->handle) || library.aio_is_closed(n->handle))
        give_up(n, "its NBD server has gone");
    else {
        look_at_timer(n);
        if (n->handle != NULL)
            watch(n);
    }
}

static void nbd_begin(struct disk *disk)
{
    (void)disk; /* a request is sent when it is submitted; `collect` follows and sends the rest */
}

static bool nbd_shut(struct disk *disk)
{
    struct nbd_disk *n = (struct nbd_disk *)disk;

    if (n->in_flight > 0)
        return false;
    if (n->handle != NULL)
        library.close(n->handle);
    if (n->timer >= 0)
        close(n->timer);
    if (n->disk.fd >= 0)
        close(n->disk.fd);
    free(n);
    return true;
}

static const struct disk_ops nbd_ops = {
    .submit = nbd_submit, .flush = nbd_begin, .collect = nbd_collect, .close = nbd_shut};

/* --- opening --- */

/* unix:PATH[:exportname=NAME], QEMU's syntax. */
static int parse(const struct disk_config *config, char path[PATH_SIZE], char *name, size_t room,
                 struct error *error)
{
    static const char export[] = ":exportname=";
    char text[PATH_SIZE + 4096 + sizeof export];
    char *mark;

    if (config->path_length >= sizeof text ||
        snprintf(text, sizeof text, "%.*s", (int)config->path_length, config->path) < 0 ||
        strncmp(text, DISK_NBD "unix:", strlen(DISK_NBD "unix:")) != 0)
        return error_set(error, "--disk %.*s: expected nbd:unix:PATH[:exportname=NAME]",
                         (int)config->path_length, config->path);
    mark = strstr(text, export);
    *name = '\0';
    if (mark != NULL) {
        snprintf(name, room, "%s", mark + strlen(export));
        *mark = '\0';
    }
    if ((size_t)snprintf(path, PATH_SIZE, "%s", text + strlen(DISK_NBD "unix:")) >= PATH_SIZE ||
        path[0] == '\0')
        return error_set(error, "--disk %s: the socket's path has 1 to %d bytes", text,
                         PATH_SIZE - 1);
    return 0;
}

static time_t seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

static int connect_to(struct nbd_disk *n, const char *path, const char *name, struct error *error)
{
    time_t due = seconds() + CONNECT;

    if (n->handle == NULL || library.set_export_name(n->handle, name) < 0 ||
        library.aio_connect_unix(n->handle, path) < 0)
        return error_set(error, "--disk nbd:unix:%s: %s", path, library.get_error());
    socket_refuse_files(library.aio_get_fd(n->handle));
    while (library.aio_is_connecting(n->handle)) {
        unsigned direction = library.aio_get_direction(n->handle);
        struct pollfd fd = {.fd = library.aio_get_fd(n->handle)};

        if (seconds() > due)
            return error_set(error, "--disk nbd:unix:%s: the server does not answer (%d s)", path,
                             CONNECT);
        fd.events = (short)((direction & LIBNBD_AIO_DIRECTION_READ ? POLLIN : 0) |
                            (direction & LIBNBD_AIO_DIRECTION_WRITE ? POLLOUT : 0));
        if (poll(&fd, 1, 100) > 0 &&
            (direction & LIBNBD_AIO_DIRECTION_READ ? library.aio_notify_read(n->handle)
                                                   : library.aio_notify_write(n->handle)) < 0)
            break;
    }
    if (!library.aio_is_ready(n->handle))
        return error_set(error, "--disk nbd:unix:%s: %s", path, library.get_error());
    return 0;
}

static int measure(struct nbd_disk *n, const struct disk_config *config, struct error *error)
{
    int64_t size = library.get_size(n->handle);
    int64_t block = library.get_block_size(n->handle, LIBNBD_SIZE_MINIMUM);
    int length = (int)config->path_length;

    block = block < DISK_SECTOR ? DISK_SECTOR : block;
    if (block > BLOCK_MAX || (block & (block - 1)) != 0)
        return error_set(error,
                         "--disk %.*s: the server's smallest request has %lld bytes; a disk's "
                         "blocks are 512, 1024, 2048 or 4096",
                         length, config->path, (long long)block);
    if (size <= 0)
        return error_set(error, "--disk %.*s: it is empty", length, config->path);
    if (!config->read_only && library.is_read_only(n->handle) != 0)
        return error_set(error, "--disk %.*s: the server exports it read-only: add ,ro", length,
                         config->path);
    n->disk.block_size = config->block_size != 0 ? config->block_size : (uint32_t)block;
    n->disk.size = (uint64_t)size;
    if (n->disk.block_size < block)
        return error_set(error,
                         "--disk %.*s: block=%u: the server's smallest request has %lld bytes",
                         length, config->path, n->disk.block_size, (long long)block);
    if (size % n->disk.block_size != 0)
        return error_set(error,
                         "--disk %.*s: its %lld bytes are not a multiple of %u, its block size",
                         length, config->path, (long long)size, n->disk.block_size);
    n->can_flush = library.can_flush(n->handle) > 0;
    n->can_trim = library.can_trim(n->handle) > 0;
    n->can_zero = library.can_zero(n->handle) > 0;
    return 0;
}

static int start_watching(struct nbd_disk *n, struct error *error)
{
    struct epoll_event ticks = {.events = EPOLLIN}, socket = {.events = 0};

    n->disk.fd = epoll_create1(EPOLL_CLOEXEC);
    n->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (n->disk.fd < 0 || n->timer < 0 ||
        epoll_ctl(n->disk.fd, EPOLL_CTL_ADD, n->timer, &ticks) < 0 ||
        epoll_ctl(n->disk.fd, EPOLL_CTL_ADD, library.aio_get_fd(n->handle), &socket) < 0)
        return error_set(error, "--disk nbd: %s", strerror(errno));
    watch(n);
    return 0;
}

struct disk *disk_open_nbd(const struct disk_config *config, struct error *error)
{
    char path[PATH_SIZE], name[4097];
    struct nbd_disk *n;

    if (config->overlay) {
        error_set(error,
                  "--disk %.*s: an NBD disk cannot have an overlay; use `qemu-nbd --snapshot`",
                  (int)config->path_length, config->path);
        return NULL;
    }
    if (parse(config, path, name, sizeof name, error) < 0 || load(error) < 0)
        return NULL;
    n = calloc(1, sizeof *n);
    if (n == NULL) {
        error_set(error, "out of memory");
        return NULL;
    }
    n->disk.ops = &nbd_ops;
    n->disk.fd = n->timer = -1;
    n->handle = library.create();
    if (connect_to(n, path, name, error) == 0 && measure(n, config, error) == 0 &&
        start_watching(n, error) == 0)
        return &n->disk;
    (void)nbd_shut(&n->disk);
    return NULL;
}
