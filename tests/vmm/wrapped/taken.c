/*
 * kvm-vmm, but the thread of its first virtio device does what ORDERS says, as if a guest had taken
 * it over, before a vCPU runs: "open PATH", "write PATH", "call NUMBER ARGUMENT ARGUMENT ARGUMENT",
 * and several of them with ';' in between. Linked with every object of the VMM, and with
 * virtio_device_run, vm_io_start and landlock_begin in between (--wrap). WITHOUT_LANDLOCK=1: the
 * kernel says that it has no Landlock.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "host/landlock.h"
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
    char path[512];
    long result;

    if (sscanf(order, "open %511s", path) == 1)
        result = open(path, O_RDONLY | O_CLOEXEC);
    else if (sscanf(order, "write %511s", path) == 1)
        result = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
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
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_landlock_create_ruleset, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof code / sizeof code[0], code};

    if (getenv("WITHOUT_LANDLOCK") != NULL &&
        (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
         prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0))
        abort();
    __real_landlock_begin();
}
