/* The debug-exit port: a guest ends itself with a status. The protocol is abi/debug_exit.h. */
#ifndef DEV_DEBUG_EXIT_H
#define DEV_DEBUG_EXIT_H

#include "dev/backend.h"
#include "dev/bus.h"

struct debug_exit {
    const struct backend *backend;
};

extern const struct bus_ops debug_exit_ops;

void debug_exit_init(struct debug_exit *device, const struct backend *backend);

#endif
