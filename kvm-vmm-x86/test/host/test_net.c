/* Unit tests of host/net/passt.c, against the other end of its socket, of host/net/dns.c, and of
 * host/net/slirp.c against a socket of this host. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "cmocka_all.h"
#include "host/net/dns.h"
#include "host/net/net.h"

static struct net_host *host;
static int listener, peer;
static char path[64];
static uint8_t frame[NET_FRAME_MAX];

static int set_up(void **state)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct net_config config = {.kind = NET_PASST, .name = path};
    struct error error;

    (void)state;
    snprintf(path, sizeof path, "/tmp/test_net.%d,x", (int)getpid());
    config.name_length = strlen(path) - 2;
    memcpy(address.sun_path, path, config.name_length);
    listener = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(listener, 1), 0);
    host = net_open(&config, 1, 2, &error);
    assert_non_null(host);
    peer = accept(listener, NULL, NULL);
    assert_true(peer >= 0);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    net_close(host);
    close(peer);
    close(listener);
    path[strlen(path) - 2] = '\0';
    unlink(path);
    return 0;
}

static int send_frame(size_t size)
{
    struct virtio_piece pieces[2] = {{frame, 10}, {frame + 10, size - 10}};

    (void)host->ops->service(host);
    return host->ops->send(host, pieces, 2, size);
}

static void frames_out(void **state)
{
    uint8_t got[4 + 100];
    uint32_t length;

    (void)state;
    assert_int_equal(host->mac[5], 0x12);
    for (size_t i = 0; i < sizeof frame; i++)
        frame[i] = (uint8_t)(i * 3);
    assert_int_equal(send_frame(100), 0);
    assert_int_equal(read(peer, got, sizeof got), sizeof got);
    memcpy(&length, got, 4);
    assert_int_equal(ntohl(length), 100);
    assert_memory_equal(got + 4, frame, 100);
}

/* Frame number `i`, whose size and bytes differ from those of its neighbours'. */
static size_t make_frame(unsigned i)
{
    size_t size = NET_FRAME_MIN + i * 7919 % (NET_FRAME_MAX - NET_FRAME_MIN);

    for (size_t k = 0; k < size; k++)
        frame[k] = (uint8_t)(i + k * 3);
    return size;
}

static bool is_due(void)
{
    return poll(&(struct pollfd){.fd = host->fd, .events = POLLIN}, 1, 0) == 1;
}

/* What the device does when the descriptor is ready: sends from frame `sent` on until none is
 * taken. */
static unsigned send_on(unsigned sent, unsigned end)
{
    while (sent < end && send_frame(make_frame(sent)) == 0)
        sent++;
    return sent;
}

/* Checks and removes the whole frames, from number `first` on, of a stream of `used` bytes. */
static unsigned check_frames(uint8_t *stream, size_t *used, unsigned first)
{
    uint32_t length;
    size_t at = 0, size;

    for (;; first++, at += 4 + size) {
        size = make_frame(first);
        if (*used - at < 4 + size)
            break;
        memcpy(&length, stream + at, 4);
        assert_int_equal(ntohl(length), size);
        assert_memory_equal(stream + at + 4, frame, size);
    }
    memmove(stream, stream + at, *used - at);
    *used -= at;
    return first;
}

/* A peer that reads nothing for a while (a passt that is stopped): the device keeps its frames, and
 * still receives. When the peer reads again, the descriptor is ready, and all frames arrive in
 * order. */
static void a_peer_that_stops(void **state)
{
    enum { FRAMES = 60, PORTION = 30000 };
    static uint8_t stream[4 + NET_FRAME_MAX + PORTION];
    uint8_t in[4 + 20] = {0, 0, 0, 20, 0xab};
    unsigned sent = send_on(0, FRAMES), arrived = 0;
    size_t used = 0;

    (void)state;
    assert_in_range(sent, 1, FRAMES - 1);
    (void)host->ops->service(host);
    assert_false(is_due());
    assert_int_equal(write(peer, in, sizeof in), sizeof in);
    assert_true(is_due());
    assert_int_equal(send_on(sent, FRAMES), sent);
    assert_int_equal(host->ops->receive(host, frame, sizeof frame), 20);
    assert_int_equal(frame[0], 0xab);
    while (arrived < FRAMES) {
        bool due = is_due();
        ssize_t n;

        if (due)
            sent = send_on(sent, FRAMES);
        n = recv(peer, stream + used, PORTION, MSG_DONTWAIT);
        assert_true(n > 0 || due); /* otherwise both wait for each other */
        used += n > 0 ? (size_t)n : 0;
        arrived = check_frames(stream, &used, arrived);
    }
    assert_int_equal(used, 0);
}

static void frames_in(void **state)
{
    uint8_t out[2 * 104], got[200];
    uint32_t length = htonl(100);

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        memcpy(out + 104 * i, &length, 4);
        memset(out + 104 * i + 4, (int)i + 1, 100);
    }
    assert_int_equal(host->ops->receive(host, got, sizeof got), 0);
    assert_int_equal(write(peer, out, 150), 150);
    assert_int_equal(host->ops->receive(host, got, sizeof got), 100);
    assert_int_equal(got[99], 1);
    assert_int_equal(host->ops->receive(host, got, sizeof got), 0);
    assert_int_equal(write(peer, out + 150, 58), 58);
    assert_int_equal(host->ops->receive(host, got, sizeof got), 100);
    assert_int_equal(got[99], 2);
    assert_true(host->up);
}

static void it_goes(void **state)
{
    uint32_t length = htonl(100000); /* longer than a frame may be */
    uint8_t got[200];

    (void)state;
    assert_int_equal(write(peer, &length, 4), 4);
    assert_int_equal(host->ops->receive(host, got, sizeof got), 0);
    assert_false(host->up);
    assert_int_equal(send_frame(100), 0); /* dropped */
    tear_down(state);
    set_up(state);
    shutdown(peer, SHUT_RDWR);
    assert_int_equal(host->ops->receive(host, got, sizeof got), 0);
    assert_false(host->up);
}

/* The sum over a packet, including its checksum: 0 if that is correct. */
static unsigned sum(const uint8_t *bytes, size_t size, unsigned s)
{
    for (size_t i = 0; i < size; i += 2)
        s += (unsigned)bytes[i] << 8 | bytes[i + 1];
    while (s >> 16)
        s = (s & 0xffff) + (s >> 16);
    return s;
}

static void names(void **state)
{
    /* A question to 10.0.2.3, port 53, of 12 bytes; its sums are 0x1ea3 and, with the pseudo
     * header, 0xb6c8. */
    uint8_t packet[14 + 20 + 20] = {[12] = 0x08, [14] = 0x45, [17] = 40, [22] = 64, [23] = 17,
                                    [26] = 10,   [28] = 2,    [29] = 15, [30] = 10, [32] = 2,
                                    [33] = 3,    [34] = 0x80, [37] = 53, [39] = 20, [42] = 0xab};
    uint8_t before[sizeof packet];
    static struct net_dns dns;
    uint32_t shown = htonl(0x0a000203), real = htonl(0xc0000207);
    unsigned ip = ~sum(packet + 14, 20, 0) & 0xffff;
    unsigned udp = ~sum(packet + 26, 28, 17 + 20) & 0xffff;

    (void)state;
    packet[24] = (uint8_t)(ip >> 8);
    packet[25] = (uint8_t)ip;
    packet[40] = (uint8_t)(udp >> 8);
    packet[41] = (uint8_t)udp;
    memcpy(before, packet, sizeof packet);
    dns.shown = shown;
    dns.real = real;
    net_dns_out(&dns, packet, sizeof packet);
    assert_memory_equal(packet + 30, &real, 4);
    assert_int_equal(sum(packet + 14, 20, 0), 0xffff);
    assert_int_equal(sum(packet + 26, 28, 17 + 20), 0xffff);
    dns.shown = real;
    dns.real = shown;
    net_dns_out(&dns, packet, sizeof packet);
    assert_memory_equal(packet, before, sizeof packet);
    packet[37] = 54; /* another port */
    net_dns_out(&dns, packet, sizeof packet);
    assert_int_equal(packet[33], 3);
    packet[37] = 53;
    for (size_t size = 0; size < 42; size++) /* cut off */
        net_dns_out(&dns, packet, size);
    assert_memory_equal(packet, before, sizeof packet);
}

/* What the device's thread does: serves all that is due, then waits for the descriptor. */
static size_t next_frame(struct net_host *slirp, uint8_t *got, size_t room)
{
    struct pollfd ready = {.fd = slirp->fd, .events = POLLIN};
    size_t size;

    for (;;) {
        do {
            slirp->due = false;
            slirp->due |= slirp->ops->service(slirp);
            size = slirp->ops->receive(slirp, got, room);
            if (size != 0)
                return size;
        } while (slirp->due);
        assert_int_equal(poll(&ready, 1, 200000), 1);
    }
}

static unsigned count_descriptors(void)
{
    unsigned count = 0;

    for (int fd = 0; fd < 1024; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

/* An answer of the host comes through a socket that the guest's frame has just created; the number
 * of the guest's sockets is limited. */
static void an_answer_by_slirp(void **state)
{
    struct net_config config = {.kind = NET_USER, .descriptors = 16};
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int server = socket(AF_INET, SOCK_DGRAM, 0);
    uint8_t arp[42] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0,  9, 8, 6,
                       0,    1,    8,    0,    6,    4,    0, 1, 2, 0, 0,  0, 0, 9,
                       10,   0,    2,    15,   0,    0,    0, 0, 0, 0, 10, 0, 2, 2};
    uint8_t udp[46] = {2, 0,  0,    0,    0, 2, 2,  0,  0, 0, 0,   9,   8,   0,  0x45, 0,
                       0, 32, 0,    1,    0, 0, 64, 17, 0, 0, 10,  0,   2,   15, 10,   0,
                       2, 2,  0x12, 0x34, 0, 0, 0,  12, 0, 0, 'a', 's', 'k', '?'};
    static uint8_t got[NET_FRAME_MAX];
    struct net_host *slirp;
    struct error error;
    unsigned ip, before;

    (void)state;
    assert_int_equal(bind(server, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(getsockname(server, (struct sockaddr *)&address, &length), 0);
    slirp = net_open(&config, 0, 0, &error);
    assert_non_null(slirp);
    assert_int_equal(
        slirp->ops->send(slirp, &(struct virtio_piece){arp, sizeof arp}, 1, sizeof arp), 0);
    do
        (void)next_frame(slirp, got, sizeof got);
    while (got[12] != 8 || got[13] != 6);
    while (slirp->ops->service(slirp))
        ;
    memcpy(udp + 36, &address.sin_port, 2);
    ip = ~sum(udp + 14, 20, 0) & 0xffff;
    udp[24] = (uint8_t)(ip >> 8);
    udp[25] = (uint8_t)ip;
    slirp->due = false;
    assert_int_equal(
        slirp->ops->send(slirp, &(struct virtio_piece){udp, sizeof udp}, 1, sizeof udp), 0);
    assert_true(
        slirp->due); /* the socket that it has made is polled from the next service() call on */
    length = sizeof address;
    assert_int_equal(recvfrom(server, got, sizeof got, 0, (struct sockaddr *)&address, &length), 4);
    while (slirp->ops->service(slirp))
        ;
    assert_int_equal(sendto(server, "yes", 3, 0, (struct sockaddr *)&address, length), 3);
    assert_int_equal(poll(&(struct pollfd){.fd = slirp->fd, .events = POLLIN}, 1, 200000), 1);
    do
        assert_true(next_frame(slirp, got, sizeof got) > 0);
    while (got[12] != 8 || got[13] != 0 || got[23] != 17);
    assert_memory_equal(got + 42, "yes", 3);
    before = count_descriptors();
    for (unsigned port = 0; port < 200; port++) { /* the guest's; each needs a socket */
        udp[34] = 0x20;
        udp[35] = (uint8_t)port;
        (void)slirp->ops->send(slirp, &(struct virtio_piece){udp, sizeof udp}, 1, sizeof udp);
        while (slirp->ops->service(slirp))
            ;
    }
    assert_in_range(count_descriptors(), before + 8, before + 16);
    net_close(slirp);
    close(server);
}

/* An answer comes from the address that the question went to, one of the two, and to the same port.
 */
static void answers(void **state)
{
    static struct net_dns dns;
    uint8_t question[14 + 20 + 20] = {[12] = 0x08, [14] = 0x45, [17] = 40, [22] = 64,
                                      [23] = 17,   [34] = 0x80, [37] = 53, [39] = 20};
    uint8_t answer[14 + 20 + 20] = {[12] = 0x08, [14] = 0x45, [17] = 40,   [22] = 64,
                                    [23] = 17,   [35] = 53,   [36] = 0x80, [39] = 20};

    (void)state;
    dns.shown = htonl(0x0a000203);
    dns.real = htonl(0xc0000207);
    for (unsigned i = 0; i < 4; i++) {
        const uint32_t *asked = i % 2 == 0 ? &dns.shown : &dns.real;

        memcpy(question + 30, asked, 4);
        memcpy(answer + 26, &dns.real, 4);
        net_dns_out(&dns, question, sizeof question);
        net_dns_in(&dns, answer, sizeof answer);
        assert_memory_equal(question + 30, &dns.real, 4);
        assert_memory_equal(answer + 26, asked, 4);
    }
    answer[23] = 6; /* TCP, but the question was by UDP */
    net_dns_in(&dns, answer, sizeof answer);
    assert_memory_equal(answer + 26, &dns.real, 4);
}

static void first_of_a_flow(void **state)
{
    uint8_t tcp[60] = {[12] = 0x08, [14] = 0x45, [23] = 6, [47] = 2 /* SYN */};
    uint8_t six[80] = {[12] = 0x86, [13] = 0xdd, [20] = 17};

    (void)state;
    assert_true(net_begins_flow(tcp, sizeof tcp));
    tcp[47] = 0x12; /* with ACK: of an existing connection */
    assert_false(net_begins_flow(tcp, sizeof tcp));
    tcp[14] = 0x4f; /* options that reach beyond the frame */
    assert_false(net_begins_flow(tcp, sizeof tcp));
    tcp[21] = 1; /* a fragment */
    assert_true(net_begins_flow(tcp, sizeof tcp));
    tcp[12] = 0x09;
    assert_false(net_begins_flow(tcp, sizeof tcp));
    assert_true(net_begins_flow(six, sizeof six));
    six[20] = 58;
    assert_false(net_begins_flow(six, sizeof six));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(frames_out, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_peer_that_stops, set_up, tear_down),
        cmocka_unit_test_setup_teardown(frames_in, set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_goes, set_up, tear_down),
        cmocka_unit_test(names),
        cmocka_unit_test(first_of_a_flow),
        cmocka_unit_test(an_answer_by_slirp),
        cmocka_unit_test(answers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
