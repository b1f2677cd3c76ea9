/* The initial ramdisk of a guest of `kvm-vmm run`: the first process (initramfs/run), its orders
 * and the modules that it loads. */
#ifndef RUN_RAMDISK_H
#define RUN_RAMDISK_H

#include "base/config.h"
#include "base/error.h"
#include "host/files/files.h"
#include "run/image.h"
#include "run/kernel.h"
#include "run/request.h"

enum { RUN_RAMDISK_PATH = 32 };

/* The serial number of a disk that is the root. */
#define RUN_ROOT_DISK "kvm-vmm-root"

struct run_ramdisk {
    const struct run_request *request;
    const struct run_kernel *kernel;
    const struct guest_config *guest;
    const struct run_image *image; /* of the root, if that is a disk; else its type is NULL */
    const struct file *script;
    const char *folder; /* where the command runs */
    bool terminal;      /* the command has one */
};

/* Makes it in memory; `path` is where this process can open it. */
int run_ramdisk_make(const struct run_ramdisk *what, char path[RUN_RAMDISK_PATH],
                     struct error *error) MUST_CHECK;

#endif
