/*
 * The generation of the machine (Microsoft, "Virtual Machine Generation ID"): a number of 16 bytes
 * that is another one each time the guest's memory goes on a second time: restored, or in a fork.
 * ACPI tells where it is and notifies the guest of a new one, whose kernel then stirs its random
 * numbers (Linux 5.18): two guests restored from one snapshot would draw the same ones.
 *
 * It is read from here and does not lie in RAM, so that no loader and no firmware has to keep a
 * place for it.
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

/* Another number. The guest is not told: see acpi_pm_general. */
void vmgenid_renew(struct vmgenid *vmgenid);

#endif
