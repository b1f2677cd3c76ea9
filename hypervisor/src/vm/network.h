/*
 * The switches between VMs, by name. The switch `host` is also connected to the machine's network
 * card: frames of guests are sent there, and received frames go to all guests on it, in a separate
 * task.
 */
#ifndef VM_NETWORK_H
#define VM_NETWORK_H

#include "vm/vm.h"

/* Sets the MAC address of a VM on a switch; false after an error message if its switch is `host`
 * and the machine has no card. */
bool network_join(const struct vm *vm, uint8_t mac[6]) MUST_CHECK;
/* Passes a VM's frame to all others on its switch. No lock is held. */
void network_send(const struct vm *from, const struct net_frame *frame);

#endif
