/*
 * The switches between VMs, by name. That called `host` has a plug more, the machine's network
 * card: what guests send on it goes out, what comes in goes to all of them, by a task of its own.
 */
#ifndef VM_NETWORK_H
#define VM_NETWORK_H

#include "vm/vm.h"

/* Fills the address of a VM that is plugged in; false after one clear line where its switch has the
 * machine's card, and the machine has none. */
bool network_join(const struct vm *vm, uint8_t mac[6]) MUST_CHECK;
/* Hands a VM's frame to all others on its switch. No lock is held. */
void network_send(const struct vm *from, const struct net_frame *frame);

#endif
