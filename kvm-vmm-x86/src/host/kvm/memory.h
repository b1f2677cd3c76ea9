/* A guest's memory in KVM: its slots, and the log of the pages written. References: as in kvm.h. */
#ifndef HOST_KVM_MEMORY_H
#define HOST_KVM_MEMORY_H

#include "base/memory.h"

/* Registers every slot with the VM (4.35), under its number in the list. Call it before anything
 * else is created: once there are interrupt controllers or vCPUs, each slot waits for a grace
 * period. */
int kvm_add_memory(int vm, const struct memory *memory, struct error *error) MUST_CHECK;

/* Begins or ends the log of a slot, which then is empty. The guest may run; a writer in this
 * process that runs meanwhile may be in the log or not. */
int kvm_log_memory(int vm, struct memory *memory, unsigned slot, bool logged,
                   struct error *error) MUST_CHECK;

/* Takes the log of a slot that is logged (4.8): the pages that the guest or this process has
 * written since it began or was last taken. None is missing; a page that the guest has only read
 * may be there too, if KVM maps it writable at once. `log` has memory_log_words(slot) words, and is
 * overwritten. */
int kvm_take_log(int vm, const struct memory *memory, unsigned slot, uint64_t *log,
                 struct error *error) MUST_CHECK;

#endif
