/*
 * Redirects the guest's DNS packets to a name server that the user chose; libslirp itself forwards
 * only to the host's. The address in a frame to or from port 53 is changed, and checksums with it
 * (RFC 1624).
 */
#ifndef HOST_NET_DNS_H
#define HOST_NET_DNS_H

#include <stddef.h>
#include <stdint.h>

struct net_dns {
    uint32_t shown, real; /* the addresses, in network byte order */
    /* A bit for each port of the guest (UDP, TCP): its last packet to one of the two addresses went
     * to `shown`. */
    uint8_t asked[2][65536 / 8];
};

/* Changes the destination of a packet to `shown` to `real`. */
void net_dns_out(struct net_dns *dns, uint8_t *frame, size_t size);
/* Changes the source of a packet from `real` to `shown`, if the guest had asked `shown`. */
void net_dns_in(const struct net_dns *dns, uint8_t *frame, size_t size);

#endif
