/* The port by which a kernel says that it panicked, which ACPI names QEMU0001 (QEMU:
 * docs/specs/pvpanic.rst). Linux has a driver for it (pvpanic-mmio). */
#ifndef DEV_PVPANIC_H
#define DEV_PVPANIC_H

#include "dev/backend.h"
#include "dev/bus.h"

enum { PVPANIC_PORT = 0x505 };

struct pvpanic {
    const struct backend *backend;
};

extern const struct bus_ops pvpanic_ops;

void pvpanic_init(struct pvpanic *pvpanic, const struct backend *backend);

#endif
