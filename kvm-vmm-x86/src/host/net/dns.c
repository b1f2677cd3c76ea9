/* The name server's address; see dns.h. */
#include "host/net/dns.h"

#include <stdbool.h>
#include <string.h>

/* IPv4 over Ethernet: RFC 791; the ports of UDP and TCP are at the same offset. */
enum {
    IP = 14,
    IP_SUM = IP + 10,
    SOURCE = IP + 12,
    DESTINATION = IP + 16,
    IP_HEADER = 20,
    UDP = 17,
    TCP = 6,
    UDP_SUM = 6, /* offsets in their headers */
    TCP_SUM = 16,
    PORT = 53
};

static unsigned half(const uint8_t *at)
{
    return (unsigned)at[0] << 8 | at[1];
}

/* Updates a checksum after four bytes that it covers have changed. */
static void adjust(uint8_t *sum, const uint8_t before[4], const uint8_t after[4])
{
    uint32_t s = ~half(sum) & 0xffff;

    for (unsigned i = 0; i < 4; i += 2)
        s += (~half(before + i) & 0xffff) + half(after + i);
    s = (s & 0xffff) + (s >> 16);
    s = (s & 0xffff) + (s >> 16);
    s = ~s & 0xffff;
    sum[0] = (uint8_t)(s >> 8);
    sum[1] = (uint8_t)s;
}

/* The offset of the UDP or TCP header if the packet has `address` at offset `at` and is for port
 * 53; otherwise 0. */
static size_t find(const uint8_t *frame, size_t size, unsigned at, uint32_t address)
{
    size_t transport;
    bool udp;

    if (size < IP + IP_HEADER || half(frame + 12) != 0x0800 || frame[IP] >> 4 != 4 ||
        (half(frame + IP + 6) & 0x1fff) != 0 || memcmp(frame + at, &address, 4) != 0)
        return 0;
    transport = IP + (size_t)(frame[IP] & 15) * 4;
    udp = frame[IP + 9] == UDP;
    if ((frame[IP] & 15) < 5 || (!udp && frame[IP + 9] != TCP) ||
        transport + (udp ? UDP_SUM : TCP_SUM) + 2 > size ||
        half(frame + transport + (at == DESTINATION ? 2 : 0)) != PORT)
        return 0;
    return transport;
}

static void change(uint8_t *frame, size_t transport, unsigned at, uint32_t after)
{
    bool udp = frame[IP + 9] == UDP;
    uint8_t *sum = frame + transport + (udp ? UDP_SUM : TCP_SUM), before[4];

    memcpy(before, frame + at, 4);
    adjust(frame + IP_SUM, before, (uint8_t *)&after);
    if (!udp || half(sum) != 0) /* 0: it has no checksum */
        adjust(sum, before, (uint8_t *)&after);
    memcpy(frame + at, &after, 4);
}

void net_dns_out(struct net_dns *dns, uint8_t *frame, size_t size)
{
    size_t shown = find(frame, size, DESTINATION, dns->shown);
    size_t transport = shown != 0 ? shown : find(frame, size, DESTINATION, dns->real);
    unsigned port;
    uint8_t *bits;

    if (transport == 0)
        return;
    port = half(frame + transport);
    bits = &dns->asked[frame[IP + 9] == TCP][port / 8];
    *bits = (uint8_t)((*bits & ~(1u << port % 8)) | (unsigned)(shown != 0) << port % 8);
    if (shown != 0)
        change(frame, transport, DESTINATION, dns->real);
}

void net_dns_in(const struct net_dns *dns, uint8_t *frame, size_t size)
{
    size_t transport = find(frame, size, SOURCE, dns->real);
    unsigned port;

    if (transport == 0)
        return;
    port = half(frame + transport + 2);
    if (dns->asked[frame[IP + 9] == TCP][port / 8] >> port % 8 & 1)
        change(frame, transport, SOURCE, dns->shown);
}
