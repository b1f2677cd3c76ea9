/* The kernel modules that a guest needs, for its initial ramdisk. */
#ifndef RUN_MODULES_H
#define RUN_MODULES_H

#include "base/config.h"
#include "run/cpio.h"
#include "run/kernel.h"

/* Puts the `wanted` modules (`?NAME`: if there is one) and those they stand on under modules/, with
 * modules/order to say which comes first. What is built into the kernel is not looked for. A kernel
 * without a folder of modules is taken to have all it needs. */
int run_modules_add(struct cpio *cpio, const struct run_kernel *kernel, const char *const wanted[],
                    struct error *error) MUST_CHECK;

/* What finds the guest's virtio devices. */
static inline const char *run_modules_bus(const struct guest_config *config)
{
    return config_has_virtio_pci(config) ? "virtio_pci" : "virtio_mmio";
}

#endif
