/* A guest's load or store on a device's registers, done for it. */
#ifndef VM_MMIO_H
#define VM_MMIO_H

#include "dev/device.h"
#include "vm/vcpu.h"

/* Fetches, decodes and does the instruction at v->pc, which touched `gpa` inside `device`. What is
 * no plain, aligned load or store becomes an access fault of the guest's. */
void mmio_emulate(struct vcpu *v, const struct device *device, gpa_t gpa);

#endif
