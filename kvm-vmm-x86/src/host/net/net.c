/* The kinds of networks; see net.h. */
#include "host/net/net.h"

#include <string.h>

/* A guest gets the same address in each run, so that a DHCP lease stays valid. */
static void default_mac(uint8_t mac[6], unsigned guest, unsigned index)
{
    memcpy(mac, (const uint8_t[6]){0x52, 0x54, 0x00, 0x6b, 0x76, (uint8_t)(guest << 4 | index)}, 6);
}

struct net_host *net_open(const struct net_config *config, unsigned guest, unsigned index,
                          struct error *error)
{
    static const uint8_t none[6];
    struct net_host *host = config->kind == NET_USER    ? net_open_slirp(config, error)
                            : config->kind == NET_PASST ? net_open_passt(config, error)
                                                        : net_open_tap(config, error);

    if (host == NULL)
        return NULL;
    if (memcmp(config->mac, none, sizeof none) != 0)
        memcpy(host->mac, config->mac, sizeof host->mac);
    else
        default_mac(host->mac, guest, index);
    if (config->mtu != 0)
        host->mtu = config->mtu;
    return host;
}

void net_close(struct net_host *host)
{
    host->ops->close(host);
}
