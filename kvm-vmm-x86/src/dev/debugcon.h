/*
 * Ports that firmware and kernels write to in order to be watched: the debug console of Bochs and
 * QEMU at 0xe9 (--debugcon), and a PC's diagnostic port 0x80, whose codes (POST) the log and
 * --boot-report show. Neither has any state.
 */
#ifndef DEV_DEBUGCON_H
#define DEV_DEBUGCON_H

#include "dev/backend.h"
#include "dev/bus.h"

#define DEBUGCON_PORT         0xe9
#define DEBUGCON_SEABIOS_PORT 0x402 /* where SeaBIOS looks for it */
#define DEBUGCON_POST_PORT    0x80

struct debugcon {
    const struct backend *backend;
};

extern const struct bus_ops debugcon_ops, debugcon_post_ops;

void debugcon_init(struct debugcon *device, const struct backend *backend);

#endif
