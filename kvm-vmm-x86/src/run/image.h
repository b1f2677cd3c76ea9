/* Which file system is on a disk that is to be the root: `kvm-vmm run --root IMAGE`. */
#ifndef RUN_IMAGE_H
#define RUN_IMAGE_H

#include <stdbool.h>

#include "base/error.h"

struct run_image {
    const char *type; /* as mount(8) and the kernel's module name it */
    bool written;     /* it can be written */
};

/* Whether `path` is a file or block device, and not a folder. */
bool run_image_is_one(const char *path);
int run_image_look(struct run_image *image, const char *path, struct error *error) MUST_CHECK;

#endif
