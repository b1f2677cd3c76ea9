/* A guest's devices: accesses to their registers, and the steps that virtio devices take. */
#ifndef VM_DEVICES_H
#define VM_DEVICES_H

#include "vm/vm.h"

enum devices_result { DEVICES_IDLE, DEVICES_MORE, DEVICES_WAIT };

/* The functions by which virtio devices access their guest; the context is a struct slot. */
extern const struct virtio_world devices_world;

/* Access a register of `device`, under the VM's lock. Work that a write causes is done at once if
 * it is little, else by the worker. By one of the VM's tasks, with no lock. */
uint64_t devices_read(struct vm *vm, const struct device *device, uint64_t offset, unsigned width);
void devices_write(struct vm *vm, const struct device *device, uint64_t offset, unsigned width,
                   uint64_t value);
/* Executes at most `steps` steps of all devices; returns whether there are more now, or perhaps
 * later. By one of the VM's tasks, with no lock held. */
enum devices_result devices_step(struct vm *vm, unsigned steps) MUST_CHECK;

/* The VM's lock is held for both. */
void devices_reset(struct vm *vm);

#endif
