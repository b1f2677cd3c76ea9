/* What a VM's devices reach the world by. */
#ifndef VM_BACKEND_H
#define VM_BACKEND_H

#include "dev/backend.h"

struct vm;

struct backend vm_backend(struct vm *vm);
/* The serial port's: the same, or a way to what --serial names. */
struct backend vm_serial_backend(struct vm *vm);

#endif
