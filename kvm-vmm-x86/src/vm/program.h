/*
 * The program that a VM is part of: where its guest's bytes go and come from, and where messages
 * go. The core prints nothing and asks no user by itself. kvm-vmm's answers are session/program.c,
 * the library's kvmvmm/kvmvmm.c.
 */
#ifndef VM_PROGRAM_H
#define VM_PROGRAM_H

struct cached_ops;
struct vm;

struct vm_program {
    /* A VM is made: fills in what vm->backend and vm->serial have of the program (output, debug,
     * input, pending, want_input, say, call), whose context is the VM, and vm->full. Functions that
     * are not set do nothing, and their input has ended. */
    void (*connect)(struct vm *vm);
    /* The guest ends, and takes no more input. Or NULL. */
    void (*input_over)(const struct vm *vm);
    const struct cached_ops *kernel_cache; /* the cache of unpacked kernels; NULL: none */
};

#endif
