/* The kernel modules that a guest needs, for its initial ramdisk. */
#ifndef RUN_MODULES_H
#define RUN_MODULES_H

#include "base/config.h"
#include "run/cpio.h"
#include "run/kernel.h"

/* Puts the `wanted` modules (`?NAME`: if there is one) and those they depend on under modules/, in
 * the order of the file modules/order. What is built into the kernel is not looked for. A kernel
 * without a folder of modules is taken to have all it needs. */
int run_modules_add(struct cpio *cpio, const struct run_kernel *kernel, const char *const wanted[],
                    struct error *error) MUST_CHECK;

/* The module of the guest's virtio transport. */
static inline const char *run_modules_bus(const struct guest_config *config)
{
    return config_has_virtio_pci(config) ? "virtio_pci" : "virtio_mmio";
}

#endif
