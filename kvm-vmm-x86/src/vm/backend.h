/* What a VM's devices reach KVM and the host by. */
#ifndef VM_BACKEND_H
#define VM_BACKEND_H

#include "dev/backend.h"

struct vm;

/* The functions that depend on the program are not set: see program.h. */
struct backend vm_backend(struct vm *vm);

#endif
