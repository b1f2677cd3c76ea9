/*
 * A minimal program that runs a real-mode guest with KVM, to which the VMM is compared. One guest,
 * one memory slot, one vCPU. It counts hypercalls and prints PUTCHAR; it handles nothing else.
 * Documentation/virt/kvm/api.rst, section 4.
 *
 *   bare IMAGE
 */
#include <err.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "abi/hypercall.h"

enum { RAM_SIZE = 256 * 1024 };

struct machine {
    int vm, vcpu;
    struct kvm_run *run;
};

static void *map(size_t size, int flags, int fd)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, fd, 0);

    if (memory == MAP_FAILED)
        err(125, "mmap");
    return memory;
}

static int must(int result, const char *what)
{
    if (result < 0)
        err(125, "%s", what);
    return result;
}

static struct machine machine_create(const char *image)
{
    int kvm = must(open("/dev/kvm", O_RDWR | O_CLOEXEC), "/dev/kvm");
    int file = must(open(image, O_RDONLY | O_CLOEXEC), image);
    void *ram = map(RAM_SIZE, MAP_SHARED | MAP_ANONYMOUS, -1);
    struct kvm_userspace_memory_region slot = {.memory_size = RAM_SIZE,
                                               .userspace_addr = (uintptr_t)ram};
    struct kvm_regs regs = {.rflags = 2, .rsp = 0xfffe};
    struct kvm_sregs sregs;
    struct machine machine;

    must((int)read(file, ram, RAM_SIZE), image);
    machine.vm = must(ioctl(kvm, KVM_CREATE_VM, 0), "KVM_CREATE_VM");
    must(ioctl(machine.vm, KVM_SET_USER_MEMORY_REGION, &slot), "KVM_SET_USER_MEMORY_REGION");
    machine.vcpu = must(ioctl(machine.vm, KVM_CREATE_VCPU, 0), "KVM_CREATE_VCPU");
    machine.run = map((size_t)must(ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0), "KVM_GET_VCPU_MMAP_SIZE"),
                      MAP_SHARED, machine.vcpu);
    must(ioctl(machine.vcpu, KVM_GET_SREGS, &sregs), "KVM_GET_SREGS");
    sregs.cs.base = sregs.cs.selector = 0;
    must(ioctl(machine.vcpu, KVM_SET_SREGS, &sregs), "KVM_SET_SREGS");
    must(ioctl(machine.vcpu, KVM_SET_REGS, &regs), "KVM_SET_REGS");
    return machine;
}

static void putchar_call(int vcpu)
{
    struct kvm_regs regs;
    uint8_t byte;

    must(ioctl(vcpu, KVM_GET_REGS, &regs), "KVM_GET_REGS");
    byte = (uint8_t)regs.rbx;
    must((int)write(STDOUT_FILENO, &byte, 1), "standard output");
}

int main(int argc, char **argv)
{
    if (argc != 2)
        errx(2, "usage: bare IMAGE");

    struct machine machine = machine_create(argv[1]);
    const struct kvm_run *run = machine.run;

    for (;;) {
        must(ioctl(machine.vcpu, KVM_RUN, 0), "KVM_RUN");
        if (run->exit_reason != KVM_EXIT_IO)
            errx(126, "exit %u", run->exit_reason);
        const uint8_t *number = (const uint8_t *)run + run->io.data_offset;
        if (run->io.port == HC_PORT && *number == HC_EXIT)
            return 0;
        if (run->io.port == HC_PORT && *number == HC_PUTCHAR)
            putchar_call(machine.vcpu);
    }
}
