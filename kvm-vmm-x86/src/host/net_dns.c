/* The name server's address; see net_dns.h. */
#include "host/net_dns.h"

#include <stdbool.h>
#include <string.h>

/* IPv4 over Ethernet: RFC 791; the ports of UDP and TCP stand at the same place. */
enum {
    IP = 14,
    IP_SUM = IP + 10,
    SOURCE = IP + 12,
    DESTINATION = IP + 16,
    IP_HEADER = 20,
    UDP = 17,
    TCP = 6,
    PORT = 53
};

static unsigned half(const uint8_t *at)
{
    return (unsigned)at[0] << 8 | at[1];
}

/* A checksum when four bytes that it covers change. */
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

static void change(uint8_t *frame, size_t size, unsigned address, uint32_t before, uint32_t after)
{
    size_t transport, sum;
    bool udp;

    if (size < IP + IP_HEADER || half(frame + 12) != 0x0800 || frame[IP] >> 4 != 4 ||
        (half(frame + IP + 6) & 0x1fff) != 0 || memcmp(frame + address, &before, 4) != 0)
        return;
    transport = IP + (size_t)(frame[IP] & 15) * 4;
    udp = frame[IP + 9] == UDP;
    sum = transport + (udp ? 6 : 16);
    if ((frame[IP] & 15) < 5 || (!udp && frame[IP + 9] != TCP) || sum + 2 > size ||
        half(frame + transport + (address == DESTINATION ? 2 : 0)) != PORT)
        return;
    adjust(frame + IP_SUM, (uint8_t *)&before, (uint8_t *)&after);
    if (!udp || half(frame + sum) != 0) /* 0: it has no checksum */
        adjust(frame + sum, (uint8_t *)&before, (uint8_t *)&after);
    memcpy(frame + address, &after, 4);
}

void net_dns_out(uint8_t *frame, size_t size, uint32_t from, uint32_t to)
{
    change(frame, size, DESTINATION, from, to);
}

void net_dns_in(uint8_t *frame, size_t size, uint32_t from, uint32_t to)
{
    change(frame, size, SOURCE, to, from);
}
