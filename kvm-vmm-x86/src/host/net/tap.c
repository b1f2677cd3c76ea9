/* A tap interface of the kernel (Documentation/networking/tuntap.rst), which its administrator has
 * made for this user; checksums and long segments are left to the kernel. */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include "abi/virtio_net.h"
#include "host/net/net.h"

enum { PIECES_MAX = 1024 };

struct net_tap {
    struct net_host host;
    int fd;
};

static bool tap_service(struct net_host *host)
{
    net_forget(host->fd);
    return false;
}

/* A frame that the kernel refuses is dropped: it has a bad header, or the interface is down. */
static int tap_send(struct net_host *host, const struct virtio_piece *pieces, unsigned count,
                    size_t size)
{
    _Static_assert(sizeof *pieces == sizeof(struct iovec), "one is the other");

    (void)size;
    if (count <= PIECES_MAX &&
        writev(((struct net_tap *)host)->fd, (const struct iovec *)pieces, (int)count) < 0 &&
        errno == EAGAIN)
        return -EAGAIN;
    return 0;
}

static size_t tap_receive(struct net_host *host, uint8_t *frame, size_t room)
{
    ssize_t n = read(((struct net_tap *)host)->fd, frame, room);

    return n > (ssize_t)sizeof(struct virtio_net_header) ? (size_t)n : 0;
}

static void tap_choose(struct net_host *host, uint64_t features)
{
    unsigned flags = 0;

    if (features & VIRTIO_NET_F_GUEST_CSUM)
        flags |= TUN_F_CSUM;
    if (features & VIRTIO_NET_F_GUEST_TSO4)
        flags |= TUN_F_TSO4;
    if (features & VIRTIO_NET_F_GUEST_TSO6)
        flags |= TUN_F_TSO6;
    (void)ioctl(((struct net_tap *)host)->fd, TUNSETOFFLOAD, flags); /* tap_open has tested it */
}

static void tap_close(struct net_host *host)
{
    struct net_tap *t = (struct net_tap *)host;

    if (t->fd >= 0)
        close(t->fd);
    if (host->fd >= 0)
        close(host->fd);
    free(t);
}

static const struct net_host_ops ops = {.service = tap_service,
                                        .send = tap_send,
                                        .receive = tap_receive,
                                        .choose = tap_choose,
                                        .close = tap_close};

static int attach(struct net_tap *t, const struct net_config *config, struct error *error)
{
    struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR};
    int size = sizeof(struct virtio_net_header);

    if (config->name_length >= sizeof request.ifr_name)
        return error_set(error, "--net tap=%.*s: an interface's name has at most %zu bytes",
                         (int)config->name_length, config->name, sizeof request.ifr_name - 1);
    memcpy(request.ifr_name, config->name, config->name_length);
    t->fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (t->fd < 0)
        return error_set(error, "--net tap: /dev/net/tun: %s", strerror(errno));
    if (ioctl(t->fd, TUNSETIFF, &request) < 0)
        return error_set(error,
                         "--net tap=%s: %s (ip tuntap add mode tap user NAME %s makes it, as root)",
                         request.ifr_name, strerror(errno), request.ifr_name);
    if (ioctl(t->fd, TUNSETVNETHDRSZ, &size) < 0)
        return error_set(error, "--net tap=%s: %s", request.ifr_name, strerror(errno));
    if (ioctl(t->fd, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6) == 0)
        t->host.offloads = VIRTIO_NET_F_CSUM | VIRTIO_NET_F_GUEST_CSUM | VIRTIO_NET_F_GUEST_TSO4 |
                           VIRTIO_NET_F_GUEST_TSO6 | VIRTIO_NET_F_HOST_TSO4 |
                           VIRTIO_NET_F_HOST_TSO6;
    t->host.fd = net_watch(t->fd);
    return t->host.fd >= 0 ? 0 : error_set(error, "--net tap: %s", strerror(errno));
}

struct net_host *net_open_tap(const struct net_config *config, struct error *error)
{
    struct net_tap *t = calloc(1, sizeof *t);

    if (t == NULL) {
        (void)error_set(error, "--net tap: out of memory");
        return NULL;
    }
    t->fd = -1;
    t->host =
        (struct net_host){.ops = &ops, .fd = -1, .mtu = 1500, .up = true, .with_header = true};
    if (attach(t, config, error) == 0)
        return &t->host;
    tap_close(&t->host);
    return NULL;
}
