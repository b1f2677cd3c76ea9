/* Hypercalls: the port by which a guest asks the VMM to end, print and read. The protocol is
 * abi/hypercall.h. */
#ifndef DEV_HYPERCALL_H
#define DEV_HYPERCALL_H

#include "dev/backend.h"
#include "dev/bus.h"
#include "host/threads.h"

struct hypercall_state {
    uint32_t ended; /* how often the guest asked for input after its end */
    uint8_t last;   /* the byte HC_GETCHAR answered last: what a read of the port gives */
    uint8_t reserved[3];
};

/* The most that is printed at once. */
enum { HYPERCALL_SLICE = 16 * 1024 };

struct hypercall {
    const struct backend *backend;
    struct lock lock;
    struct hypercall_state state; /* under the lock */
};

extern const struct bus_ops hypercall_ops;

void hypercall_init(struct hypercall *hypercall, const struct backend *backend);

#endif
