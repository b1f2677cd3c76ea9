/*
 * What CPUID tells each vCPU: KVM's offer, with the guest's own topology in place of the host's.
 * The guest is one package of `count` cores with one thread each; core N has local APIC number N.
 * Features that the VMM would have to support are not offered: nested virtualization, SGX, SEV.
 * Pure: kvm_cpuid2 is plain data.
 */
#ifndef CPU_CPUID_H
#define CPU_CPUID_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/regs.h"

/* Which vCPU of how many. */
struct cpuid_place {
    unsigned id, count;
    bool deadline; /* the local APIC's timer has its TSC-deadline mode */
    bool debugged; /* a debugger may single-step it */
    bool no_lapic; /* the guest will run with its local APIC off */
};

/* A copy of the offer, made for that vCPU; NULL if out of memory. The caller frees it. */
struct kvm_cpuid2 *cpuid_adapt(const struct kvm_cpuid2 *offer, const struct cpuid_place *place);

/* Whether a guest that has seen the CPUID table `saved` can continue with the table `here`: all
 * features and address widths must be there. -1: `error` names what is missing. */
int cpuid_check(const struct kvm_cpuid_entry2 *saved, size_t saved_count,
                const struct kvm_cpuid_entry2 *here, size_t here_count,
                struct error *error) MUST_CHECK;

/* How many bits of a physical address there are (AMD APM volume 3, E.4.7; Intel SDM volume 2,
 * CPUID, 8000_0008). */
unsigned cpuid_address_bits(const struct kvm_cpuid2 *cpuid);

#endif
