/*
 * A name server of the user's choice behind the address that libslirp gives the guest for it:
 * libslirp itself forwards to the host's alone. The address in a frame to or from port 53 is
 * changed, and checksums with it (RFC 1624).
 */
#ifndef HOST_NET_DNS_H
#define HOST_NET_DNS_H

#include <stddef.h>
#include <stdint.h>

/* Addresses in network byte order. A packet to `from` goes to `to`. */
void net_dns_out(uint8_t *frame, size_t size, uint32_t from, uint32_t to);
/* A packet that comes from `to` comes from `from`. */
void net_dns_in(uint8_t *frame, size_t size, uint32_t from, uint32_t to);

#endif
