/*
 * A name server of the user's choice behind the address that libslirp gives the guest for it:
 * libslirp itself forwards to the host's alone. The address in a frame to or from port 53 is
 * changed, and checksums with it (RFC 1624).
 */
#ifndef HOST_NET_DNS_H
#define HOST_NET_DNS_H

#include <stddef.h>
#include <stdint.h>

struct net_dns {
    uint32_t shown, real; /* the addresses, in network byte order */
    /* Of the guest's ports that asked one of the two last, a bit if it was `shown`: UDP's, TCP's.
     */
    uint8_t asked[2][65536 / 8];
};

/* A packet to `shown` goes to `real`. */
void net_dns_out(struct net_dns *dns, uint8_t *frame, size_t size);
/* A packet from `real` comes from `shown`, if that was asked. */
void net_dns_in(const struct net_dns *dns, uint8_t *frame, size_t size);

#endif
