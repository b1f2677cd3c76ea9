/*
 * The generation of the machine (Microsoft, "Virtual Machine Generation ID"): 16 bytes that change
 * each time the guest is restored or forked. ACPI gives its address and notifies the guest of a
 * change; the kernel then reseeds its random numbers (Linux 5.18), since two guests restored from
 * one snapshot would otherwise draw the same ones.
 *
 * It is a device register and not in RAM, so that no loader or firmware has to reserve memory for
 * it.
 *
 *
 */
#ifndef DEV_VMGENID_H
#define DEV_VMGENID_H

#include "dev/backend.h"
#include "dev/bus.h"
#include "host/threads.h"

#define VMGENID_BASE UINT64_C(0xd0080000)
enum { VMGENID_SIZE = 16 };

struct vmgenid {
    const struct backend *backend;
    struct lock lock;
    uint8_t id[VMGENID_SIZE]; /* under the lock */
};

extern const struct bus_ops vmgenid_ops;

void vmgenid_init(struct vmgenid *vmgenid, const struct backend *backend);

/* Draws a new number. Notify the guest with acpi_pm_general. */
void vmgenid_renew(struct vmgenid *vmgenid);

#endif
