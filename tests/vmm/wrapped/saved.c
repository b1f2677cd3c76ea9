/* kvm-vmm, but each time that its guest's state is saved it says on standard error how many
 * microseconds that took: for bench/linux/copies.py. */
#include <stdio.h>
#include <time.h>

#include "vm/state.h"

int __real_vm_save(struct vm *vm, struct chunk_writer *writer, struct error *error);
int __wrap_vm_save(struct vm *vm, struct chunk_writer *writer, struct error *error);

static double now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

int __wrap_vm_save(struct vm *vm, struct chunk_writer *writer, struct error *error)
{
    double begun = now_us();
    int result = __real_vm_save(vm, writer, error);

    fprintf(stderr, "saved %.1f\n", now_us() - begun);
    return result;
}
