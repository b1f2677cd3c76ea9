/*
 * A network by libslirp (slirp/libslirp.h, 4.7): its TCP/IP ends in sockets of this process, so
 * that a guest reaches what this user reaches. The guest is 10.0.2.15, the host 10.0.2.2, the name
 * server 10.0.2.3; the guest gets these by DHCP.
 *
 * The library is loaded when a guest has such a network: named at link time, it and glib would make
 * each start longer. It is made for poll(2); its descriptors and a timer are in an epoll, so that
 * the device's thread has one descriptor to wait for.
 */
#include <dlfcn.h>
#include <errno.h>
#include <slirp/libslirp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "host/descriptors.h"
#include "host/net/dns.h"
#include "host/net/net.h"
#include "host/sandbox/landlock.h"

/* At most POLLS_MAX descriptors; others wait until some are closed. At most BACKLOG bytes of frames
 * wait for the guest; if TCP frames are dropped, they are sent again. */
enum { POLLS_MAX = 4096, BACKLOG = 1 << 20, EVENTS = 64, TIMERS = 4 };

static const uint32_t network = 0x0a000200, mask = 0xffffff00;

struct library {
    void *handle;
    typeof(&slirp_new) new;
    typeof(&slirp_cleanup) cleanup;
    typeof(&slirp_pollfds_fill) fill;
    typeof(&slirp_pollfds_poll) poll;
    typeof(&slirp_input) input;
    typeof(&slirp_add_hostfwd) forward;
    typeof(&slirp_connection_info) info;
};
static struct library library;

struct timer {
    SlirpTimerCb expired;
    void *context;
    int64_t due; /* milliseconds of the clock; -1: not running */
};

/* A descriptor, the events registered with epoll, and those reported. */
struct poll {
    int fd, wanted, reported;
    bool used; /* in this round */
};

struct net_slirp {
    struct net_host host;
    Slirp *slirp;
    int timerfd;
    bool put_off;       /* service is postponed until the backlog is shorter */
    struct poll *polls; /* POLLS_MAX */
    unsigned poll_count;
    struct timer timers[TIMERS];
    unsigned limit; /* how many sockets the guest may have */
    struct descriptor_set held;
    struct net_dns *dns; /* NULL: the host's */
    size_t head, used;   /* of the backlog: each frame follows its size */
    uint8_t backlog[BACKLOG];
    uint8_t frame[NET_FRAME_MAX];
};

static int load(struct error *error)
{
    if (library.handle != NULL)
        return 0;
    library.handle = dlopen("libslirp.so.0", RTLD_NOW | RTLD_LOCAL);
    if (library.handle == NULL)
        return error_set(error, "--net user: %s (Debian's package libslirp0)", dlerror());
    library.new = (typeof(&slirp_new))dlsym(library.handle, "slirp_new");
    library.cleanup = (typeof(&slirp_cleanup))dlsym(library.handle, "slirp_cleanup");
    library.fill = (typeof(&slirp_pollfds_fill))dlsym(library.handle, "slirp_pollfds_fill");
    library.poll = (typeof(&slirp_pollfds_poll))dlsym(library.handle, "slirp_pollfds_poll");
    library.input = (typeof(&slirp_input))dlsym(library.handle, "slirp_input");
    library.forward = (typeof(&slirp_add_hostfwd))dlsym(library.handle, "slirp_add_hostfwd");
    library.info = (typeof(&slirp_connection_info))dlsym(library.handle, "slirp_connection_info");
    if (library.info == NULL || library.new == NULL || library.cleanup == NULL ||
        library.fill == NULL || library.poll == NULL || library.input == NULL ||
        library.forward == NULL) {
        dlclose(library.handle);
        library.handle = NULL;
        return error_set(error, "--net user: libslirp.so.0 is too old");
    }
    return 0;
}

/* --- what the library calls --- */

static void ring_copy(struct net_slirp *s, size_t at, uint8_t *bytes, size_t count, bool put)
{
    for (size_t i = 0; i < count;) {
        size_t from = (s->head + at + i) % BACKLOG, n = count - i;

        n = n < BACKLOG - from ? n : BACKLOG - from;
        if (put)
            memcpy(s->backlog + from, bytes + i, n);
        else
            memcpy(bytes + i, s->backlog + from, n);
        i += n;
    }
}

static ssize_t on_packet(const void *packet, size_t size, void *context)
{
    struct net_slirp *s = context;
    uint32_t length = (uint32_t)size;

    if (size == 0 || size > NET_FRAME_MAX || sizeof length + size > BACKLOG - s->used)
        return (ssize_t)size;
    ring_copy(s, s->used, (uint8_t *)&length, sizeof length, true);
    ring_copy(s, s->used + sizeof length, (uint8_t *)(uintptr_t)packet, size, true);
    s->used += sizeof length + size;
    return (ssize_t)size;
}

static void on_error(const char *message, void *context)
{
    (void)message; /* not logged: a guest may cause as many as it likes */
    (void)context;
}

static int64_t now_ns(void *context)
{
    struct timespec now;

    (void)context;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void *new_timer(SlirpTimerCb expired, void *timer_context, void *context)
{
    struct net_slirp *s = context;

    for (unsigned i = 0; i < TIMERS; i++)
        if (s->timers[i].expired == NULL) {
            s->timers[i] = (struct timer){.expired = expired, .context = timer_context, .due = -1};
            return &s->timers[i];
        }
    return NULL;
}

static void free_timer(void *timer, void *context)
{
    (void)context;
    if (timer != NULL)
        *(struct timer *)timer = (struct timer){0};
}

static void set_timer(void *timer, int64_t due, void *context)
{
    (void)context;
    if (timer != NULL)
        ((struct timer *)timer)->due = due;
}

/* Called for TCP sockets; others are noticed when they are polled. */
static void new_fd(int fd, void *context)
{
    struct net_slirp *s = context;

    descriptors_hold(&s->held, fd, true);
}

static void forget_poll(struct net_slirp *s, unsigned i)
{
    (void)epoll_ctl(s->host.fd, EPOLL_CTL_DEL, s->polls[i].fd, NULL); /* it may be closed */
    s->polls[i].fd = -1;
    s->polls[i].wanted = 0;
}

/* The library closes the descriptor after this. */
static void drop_fd(int fd, void *context)
{
    struct net_slirp *s = context;

    descriptors_hold(&s->held, fd, false);
    for (unsigned i = 0; i < s->poll_count; i++)
        if (s->polls[i].fd == fd)
            forget_poll(s, i);
}

static void no_notice(void *context)
{
    (void)context; /* descriptors are collected after each service */
}

static const SlirpCb callbacks = {.send_packet = on_packet,
                                  .guest_error = on_error,
                                  .clock_get_ns = now_ns,
                                  .timer_new = new_timer,
                                  .timer_free = free_timer,
                                  .timer_mod = set_timer,
                                  .register_poll_fd = new_fd,
                                  .unregister_poll_fd = drop_fd,
                                  .notify = no_notice};

/* --- its descriptors --- */

static uint32_t epoll_bits(int events)
{
    return (events & SLIRP_POLL_IN ? EPOLLIN : 0u) | (events & SLIRP_POLL_OUT ? EPOLLOUT : 0u) |
           (events & SLIRP_POLL_PRI ? EPOLLPRI : 0u);
}

static int slirp_bits(uint32_t events)
{
    return (events & EPOLLIN ? SLIRP_POLL_IN : 0) | (events & EPOLLOUT ? SLIRP_POLL_OUT : 0) |
           (events & EPOLLPRI ? SLIRP_POLL_PRI : 0) | (events & EPOLLERR ? SLIRP_POLL_ERR : 0) |
           (events & EPOLLHUP ? SLIRP_POLL_HUP : 0);
}

/* The index of `fd`, or a free one; POLLS_MAX: all are in use. */
static unsigned place_of(const struct net_slirp *s, int fd)
{
    unsigned free = s->poll_count;

    for (unsigned i = 0; i < s->poll_count; i++) {
        if (s->polls[i].fd == fd)
            return i;
        if (s->polls[i].fd < 0)
            free = i;
    }
    return free;
}

static int add_poll(int fd, int events, void *context)
{
    struct net_slirp *s = context;
    unsigned i = place_of(s, fd);
    struct poll *p = &s->polls[i];
    struct epoll_event event = {.events = epoll_bits(events), .data.u32 = i};

    descriptors_hold(&s->held, fd, true);
    if (i == POLLS_MAX)
        return -1;
    if (i == s->poll_count)
        s->poll_count++;
    if (p->fd != fd)
        *p = (struct poll){.fd = fd};
    p->used = true;
    if (p->wanted == events)
        return (int)i;
    if (epoll_ctl(s->host.fd, EPOLL_CTL_MOD, fd, &event) < 0 && errno == ENOENT)
        (void)epoll_ctl(s->host.fd, EPOLL_CTL_ADD, fd, &event);
    p->wanted = events;
    return (int)i;
}

static int reported(int index, void *context)
{
    struct net_slirp *s = context;

    return index < 0 ? 0 : s->polls[index].reported;
}

/* Sets what to wait for until the next service. */
static void arrange(struct net_slirp *s)
{
    uint32_t wait = UINT32_MAX;
    int64_t now = now_ns(NULL) / 1000000;
    struct itimerspec at = {0};

    for (unsigned i = 0; i < s->poll_count; i++)
        s->polls[i].used = false;
    library.fill(s->slirp, &wait, add_poll, s);
    for (unsigned i = 0; i < s->poll_count; i++)
        if (!s->polls[i].used && s->polls[i].fd >= 0)
            forget_poll(s, i);
    while (s->poll_count > 0 && s->polls[s->poll_count - 1].fd < 0)
        s->poll_count--;
    for (unsigned i = 0; i < TIMERS; i++) {
        const struct timer *t = &s->timers[i];

        if (t->expired != NULL && t->due >= 0 && t->due - now < (int64_t)wait)
            wait = t->due > now ? (uint32_t)(t->due - now) : 1;
    }
    if (wait != UINT32_MAX) {
        at.it_value.tv_sec = wait / 1000;
        at.it_value.tv_nsec = wait % 1000 * 1000000l + 1;
    }
    (void)timerfd_settime(s->timerfd, 0, &at, NULL);
}

static void run_timers(struct net_slirp *s)
{
    int64_t now = now_ns(NULL) / 1000000;

    for (unsigned i = 0; i < TIMERS; i++) {
        struct timer *t = &s->timers[i];

        if (t->expired == NULL || t->due < 0 || t->due > now)
            continue;
        t->due = -1;
        t->expired(t->context);
    }
}

/* --- what the device calls --- */

static bool is_behind(const struct net_slirp *s)
{
    return s->used > BACKLOG / 2;
}

/* While the guest takes no frames, its peers wait. */
static bool slirp_service(struct net_host *host)
{
    struct net_slirp *s = (struct net_slirp *)host;
    struct epoll_event events[EVENTS];
    uint64_t ticks;
    int count;

    s->put_off = is_behind(s);
    if (s->put_off)
        return false;
    count = epoll_wait(s->host.fd, events, EVENTS, 0);
    for (unsigned i = 0; i < s->poll_count; i++)
        s->polls[i].reported = 0;
    for (int i = 0; i < count; i++)
        if (events[i].data.u32 < POLLS_MAX)
            s->polls[events[i].data.u32].reported = slirp_bits(events[i].events);
        else if (read(s->timerfd, &ticks, sizeof ticks) < 0)
            continue; /* the timer was set again meanwhile */
    library.poll(s->slirp, count < 0, reported, s);
    run_timers(s);
    arrange(s);
    return count > 0;
}

static int slirp_send(struct net_host *host, const struct virtio_piece *pieces, unsigned count,
                      size_t size)
{
    struct net_slirp *s = (struct net_slirp *)host;

    size = net_gather(pieces, count, s->frame, sizeof s->frame);
    if (size < NET_FRAME_MIN || (s->held.count >= s->limit && net_begins_flow(s->frame, size)))
        return 0; /* dropped, as by a router whose table is full */
    if (s->dns != NULL)
        net_dns_out(s->dns, s->frame, size);
    library.input(s->slirp, s->frame, (int)size);
    host->due = true; /* there may be a new socket or timer that is not in the epoll yet */
    return 0;
}

static size_t slirp_receive(struct net_host *host, uint8_t *frame, size_t room)
{
    struct net_slirp *s = (struct net_slirp *)host;
    uint32_t size;

    if (s->used == 0)
        return 0;
    ring_copy(s, 0, (uint8_t *)&size, sizeof size, false);
    if (size <= room)
        ring_copy(s, sizeof size, frame, size, false);
    s->head = (s->head + sizeof size + size) % BACKLOG;
    s->used -= sizeof size + size;
    host->due |= s->put_off && !is_behind(s); /* the descriptor was reported already */
    if (size > room)
        return 0;
    if (s->dns != NULL)
        net_dns_in(s->dns, frame, size);
    return size;
}

/* Parses the library's readable list of sockets (slirp_connection_info); sockets that listen or are
 * closed are not counted. */
static unsigned slirp_connections(struct net_host *host)
{
    char *text = library.info(((struct net_slirp *)host)->slirp);
    unsigned count = 0;

    for (const char *at = text; at != NULL && (at = strstr(at, "TCP[")) != NULL; at += 4)
        count += strncmp(at + 4, "HOST_FORWARD", 12) != 0 && strncmp(at + 4, "CLOSED", 6) != 0 &&
                 strncmp(at + 4, "TIME_WAIT", 9) != 0;
    free(text); /* g_free is free */
    return count;
}

static void slirp_close(struct net_host *host)
{
    struct net_slirp *s = (struct net_slirp *)host;

    if (s->slirp != NULL)
        library.cleanup(s->slirp);
    if (s->timerfd >= 0)
        close(s->timerfd);
    if (s->host.fd >= 0)
        close(s->host.fd);
    free(s->polls);
    free(s->dns);
    free(s);
}

static const struct net_host_ops ops = {.service = slirp_service,
                                        .send = slirp_send,
                                        .receive = slirp_receive,
                                        .connections = slirp_connections,
                                        .close = slirp_close};

static int forward(struct net_slirp *s, const struct net_forward *f, struct error *error)
{
    struct in_addr host = {.s_addr = htonl(f->address)}, guest = {.s_addr = htonl(network | 15)};

    if (library.forward(s->slirp, f->udp, host, f->host_port, guest, f->guest_port) == 0)
        return 0;
    return error_set(error, "--net user: %s port %u of the host cannot be forwarded: %s",
                     f->udp ? "UDP" : "TCP", f->host_port, strerror(errno));
}

/* The library reads the file again when it has changed. If it is a symbolic link, as with systemd,
 * the target is replaced in its folder, so the folder must be allowed. */
static void allow_name_servers(void)
{
    static const char path[] = "/etc/resolv.conf";
    char *real = realpath(path, NULL), *slash = real != NULL ? strrchr(real, '/') : NULL;

    landlock_allow_path(path, LANDLOCK_READ);
    if (slash != NULL && strcmp(real, path) != 0) {
        *slash = '\0';
        landlock_allow_path(real, LANDLOCK_READ_FOLDER);
    }
    free(real);
}

static int open_all(struct net_slirp *s, const struct net_config *config, struct error *error)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = UINT32_MAX};
    SlirpConfig c = {.version = 4,
                     .in_enabled = true,
                     .vnetwork.s_addr = htonl(network),
                     .vnetmask.s_addr = htonl(mask),
                     .vhost.s_addr = htonl(network | 2),
                     .vdhcp_start.s_addr = htonl(network | 15),
                     .vnameserver.s_addr = htonl(network | 3),
                     .in6_enabled = true,
                     .vprefix_len = 64,
                     .if_mtu = s->host.mtu,
                     .if_mru = s->host.mtu};

    (void)inet_pton(AF_INET6, "fec0::", &c.vprefix_addr6);
    (void)inet_pton(AF_INET6, "fec0::2", &c.vhost6);
    (void)inet_pton(AF_INET6, "fec0::3", &c.vnameserver6);
    if (config->dns != 0) {
        s->dns = calloc(1, sizeof *s->dns);
        if (s->dns == NULL)
            return error_set(error, "--net user: out of memory");
        s->dns->shown = c.vnameserver.s_addr;
        /* Loopback of the host is its address in the guest's network. */
        s->dns->real = config->dns >> 24 == 127 ? c.vhost.s_addr : htonl(config->dns);
    }
    s->host.fd = epoll_create1(EPOLL_CLOEXEC);
    s->timerfd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (s->host.fd < 0 || s->timerfd < 0 ||
        epoll_ctl(s->host.fd, EPOLL_CTL_ADD, s->timerfd, &event) < 0)
        return error_set(error, "--net user: %s", strerror(errno));
    allow_name_servers();
    s->slirp = library.new(&c, &callbacks, s);
    if (s->slirp == NULL)
        return error_set(error, "--net user: libslirp does not start");
    for (unsigned i = 0; i < config->forward_count; i++)
        if (forward(s, &config->forwards[i], error) < 0)
            return -1;
    arrange(s);
    return 0;
}

struct net_host *net_open_slirp(const struct net_config *config, struct error *error)
{
    struct net_slirp *s;

    if (load(error) < 0)
        return NULL;
    s = calloc(1, sizeof *s);
    if (s == NULL || (s->polls = calloc(POLLS_MAX + 1, sizeof *s->polls)) == NULL) {
        free(s);
        (void)error_set(error, "--net user: out of memory");
        return NULL;
    }
    s->timerfd = -1;
    s->limit = config->descriptors;
    s->host = (struct net_host){.ops = &ops,
                                .fd = -1,
                                .mtu = config->mtu != 0 ? config->mtu : NET_MTU_MAX,
                                .up = true,
                                .good_sums = true};
    if (open_all(s, config, error) == 0)
        return &s->host;
    slirp_close(&s->host);
    return NULL;
}
