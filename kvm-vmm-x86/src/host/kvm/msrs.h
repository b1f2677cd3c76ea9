/* A vCPU's model-specific registers out of KVM and in again; part of state.h. Sections of
 * Documentation/virt/kvm/api.rst: 4.3, 4.18, 4.19. */
#ifndef HOST_KVM_MSRS_H
#define HOST_KVM_MSRS_H

#include "base/chunk.h"
#include "host/kvm/kvm.h"

struct kvm_msrs_saved {
    struct kvm_msr_entry *entries;
    size_t count;
};

/* Those that this vCPU has. `without_tsc`: not the time-stamp counter, which is saved otherwise.
 * Where it succeeds they are released with kvm_release_msrs. */
int kvm_read_msrs(const struct kvm *kvm, const struct kvm_cpu *cpu, bool without_tsc,
                  struct kvm_msrs_saved *msrs, struct error *error) MUST_CHECK;
void kvm_release_msrs(struct kvm_msrs_saved *msrs);

/* The entries are the chunk's bytes. */
int kvm_load_msrs(const struct kvm_cpu *cpu, const struct chunk *chunk,
                  struct error *error) MUST_CHECK;

#endif
