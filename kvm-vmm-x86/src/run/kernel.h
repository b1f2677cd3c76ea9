/* Which kernel `kvm-vmm run` boots, and where its modules are. */
#ifndef RUN_KERNEL_H
#define RUN_KERNEL_H

#include <limits.h>
#include <stdbool.h>

#include "base/error.h"

struct run_kernel {
    char path[PATH_MAX];
    char version[128];      /* empty: it does not say */
    char modules[PATH_MAX]; /* the folder that has modules.dep; empty: none was found */
};

/* `asked`: a kernel, or the tree that it was built in; NULL: the host's own, the newest of /boot,
 * or of this repository's build/. `modules`: where --modules says; or NULL. */
int run_kernel_find(struct run_kernel *kernel, const char *asked, const char *modules,
                    struct error *error) MUST_CHECK;

/* The folder that the program is in: false if it cannot be told. */
bool run_kernel_program_folder(char folder[PATH_MAX]);

#endif
