/* libFuzzer: frames of a hostile guest, or from the network, through the change of the name
 * server's address (host/net/dns.c), and through host/net/frame.c. */
#include <stdlib.h>
#include <string.h>

#include "host/net/dns.h"
#include "host/net/net.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct net_dns dns = {.shown = 0x0302000a, .real = 0x07020cc0};
    uint8_t *frame = malloc(size + 1);

    memcpy(frame, data, size);
    if (size >= 34 && (data[0] & 1)) { /* more often than by chance */
        memcpy(frame + (data[0] & 2 ? 30 : 26), data[0] & 4 ? &dns.shown : &dns.real, 4);
        frame[12] = 0x08;
        frame[13] = 0;
        frame[20] = frame[21] = 0;
    }
    (void)net_begins_flow(frame, size);
    net_dns_out(&dns, frame, size);
    net_dns_in(&dns, frame, size);
    free(frame);
    return 0;
}
