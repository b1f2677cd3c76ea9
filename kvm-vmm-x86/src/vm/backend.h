/* What a VM's devices reach the world by. */
#ifndef VM_BACKEND_H
#define VM_BACKEND_H

#include "dev/backend.h"

struct vm;

struct backend vm_backend(struct vm *vm);

#endif
