/*
 * What CPUID tells each vCPU: KVM's offer, with the guest's own topology in place of the host's.
 * The guest is one package of `count` cores with one thread each; core N has local APIC number N.
 * Pure: kvm_cpuid2 is plain data.
 */
#ifndef CPU_CPUID_H
#define CPU_CPUID_H

#include <stdbool.h>

#include "cpu/regs.h"

/* Which vCPU of how many. */
struct cpuid_place {
    unsigned id, count;
    bool deadline; /* the local APIC's timer has its TSC-deadline mode */
    bool debugged; /* a debugger may single-step it */
};

/* A copy of the offer, made for that vCPU; NULL if out of memory. The caller frees it. */
struct kvm_cpuid2 *cpuid_adapt(const struct kvm_cpuid2 *offer, const struct cpuid_place *place);

#endif
