/*
 * kvm-vmm, but the thread of its first virtio device does what ORDERS says, as if a guest had taken
 * it over, before a vCPU runs: "open PATH", "write PATH", "move FROM TO", "call NUMBER ARGUMENT
 * ARGUMENT ARGUMENT", and several of them with ';' in between. Linked with every object of the VMM,
 * and with virtio_device_run, vm_io_start and landlock_begin in between (--wrap).
 * WITHOUT_LANDLOCK=1: the kernel says that it has no Landlock.
 */
#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "host/sandbox/landlock.h"
#include "vm/io.h"
#include "vm/vm.h"

bool __real_virtio_device_run(void *context);
bool __wrap_virtio_device_run(void *context);
int __real_vm_io_start(struct vm *vm, struct error *error);
int __wrap_vm_io_start(struct vm *vm, struct error *error);
void __real_landlock_begin(void);
void __wrap_landlock_begin(void);

static unsigned obeyed; /* atomic */

static void obey(const char *order)
{
    unsigned long number = 0, arguments[3] = {0};
    char path[512], to[512];
    long result;

    if (sscanf(order, "open %511s", path) == 1)
        result = open(path, O_RDONLY | O_CLOEXEC);
    else if (sscanf(order, "write %511s", path) == 1)
        result = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    else if (sscanf(order, "move %511s %511s", path, to) == 2)
        result = renameat(AT_FDCWD, path, AT_FDCWD, to);
    else if (sscanf(order, "call %lu %li %li %li", &number, (long *)&arguments[0],
                    (long *)&arguments[1], (long *)&arguments[2]) >= 1)
        result = syscall((long)number, arguments[0], arguments[1], arguments[2]);
    else
        abort();
    dprintf(STDERR_FILENO, "taken: %s: %s\n", order, result >= 0 ? "done" : strerror(errno));
}

bool __wrap_virtio_device_run(void *context)
{
    char *orders = __atomic_exchange_n(&obeyed, 1, __ATOMIC_RELAXED) == 0 ? getenv("ORDERS") : NULL;
    char *copy = orders != NULL ? strdup(orders) : NULL, *rest = copy;

    while (rest != NULL)
        obey(strsep(&rest, ";"));
    free(copy);
    if (orders != NULL)
        __atomic_store_n(&obeyed, 2, __ATOMIC_RELEASE);
    return __real_virtio_device_run(context);
}

int __wrap_vm_io_start(struct vm *vm, struct error *error)
{
    int result = __real_vm_io_start(vm, error);

    while (result == 0 && __atomic_load_n(&obeyed, __ATOMIC_ACQUIRE) != 2)
        thread_nap();
    return result;
}

void __wrap_landlock_begin(void)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);

    if (getenv("WITHOUT_LANDLOCK") != NULL &&
        (seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SYS_landlock_create_ruleset, 0) != 0 ||
         seccomp_load(filter) != 0))
        abort();
    seccomp_release(filter);
    __real_landlock_begin();
}
