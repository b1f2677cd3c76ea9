/* A guest's console, through the serial port, SBI or virtio. */
#ifndef VM_CONSOLE_H
#define VM_CONSOLE_H

#include "vm/vm.h"

/* A typed byte for the guest: to its serial port or virtio console, as its manifest says. */
void console_receive(struct vm *vm, uint8_t byte);
/* The next byte typed for a guest that asks by SBI; -1 for none. */
int console_take(struct vm *vm);

#endif
