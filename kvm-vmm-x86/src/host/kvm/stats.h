/* KVM's binary statistics (4.134): what it counts itself, about exits that never reach the VMM. */
#ifndef HOST_KVM_STATS_H
#define HOST_KVM_STATS_H

#include "host/kvm/kvm.h"

/* Calls `each` with every counter of the vCPU that only ever grows; none where the kernel has no
 * statistics. `name` is only valid during the call. */
void kvm_stats_read(const struct kvm_cpu *cpu,
                    void (*each)(void *context, const char *name, uint64_t value), void *context);

#endif
