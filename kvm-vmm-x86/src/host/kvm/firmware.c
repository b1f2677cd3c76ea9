/*
 * Registers as a PC's firmware may leave them: model-specific ones (KVM_SET_MSRS, 4.19) and XCR0
 * (KVM_SET_XCRS, 4.34). See kvm.h.
 */
#include <sys/ioctl.h>

#include "host/kvm/kvm.h"

/* All memory cached (Intel SDM volume 3, 12.11.2.1), fast string moves (volume 4,
 * IA32_MISC_ENABLE). */
enum { MSR_MISC_ENABLE = 0x1a0, MSR_MTRR_DEF_TYPE = 0x2ff };
enum {
    MTRR_TYPE_MASK = 0xff,
    MTRR_WRITE_BACK = 6,
    MTRR_ENABLED = 1 << 11,
    MISC_FAST_STRINGS = 1 << 0
};

/* SDM volume 1, 13.2: the state components that XCR0 may enable. */
enum { LEAF_XSAVE = 0xd };

/* Clears and sets bits of one register, and keeps the others as KVM has them. KVM refuses registers
 * that it does not know. */
static void amend_msr(const struct kvm_cpu *cpu, uint32_t index, uint64_t clear, uint64_t set)
{
    struct {
        struct kvm_msrs header;
        struct kvm_msr_entry entry;
    } one = {.header.nmsrs = 1, .entry.index = index};

    if (ioctl(cpu->fd, KVM_GET_MSRS, &one) != 1)
        return;
    one.entry.data = (one.entry.data & ~clear) | set;
    (void)ioctl(cpu->fd, KVM_SET_MSRS, &one);
}

/* The call fails on hosts without XSAVE. */
void kvm_reset_xcr0(const struct kvm_cpu *cpu)
{
    struct kvm_xcrs xcrs = {.nr_xcrs = 1, .xcrs[0].value = cpu->xcr0};

    (void)ioctl(cpu->fd, KVM_SET_XCRS, &xcrs);
}

/*
 * Enables every state component that CPUID offers. A kernel sets XCR0 itself before it uses XSAVE,
 * so this matters only if KVM does not see that: QEMU's emulated SVM runs XSETBV without an exit to
 * KVM (seen in 7.2), KVM still shows in leaf 0xd the size for the components that it knows to be
 * enabled, and a kernel that finds this size too small does not use XSAVE.
 */
static void set_xcr0(struct kvm_cpu *cpu, const struct kvm_cpuid2 *cpuid)
{
    for (uint32_t i = 0; i < cpuid->nent; i++) {
        const struct kvm_cpuid_entry2 *e = &cpuid->entries[i];

        if (e->function != LEAF_XSAVE || e->index != 0 || e->eax == 0)
            continue;
        cpu->xcr0 = (uint64_t)e->edx << 32 | e->eax;
        kvm_reset_xcr0(cpu);
    }
}

void kvm_set_firmware_state(struct kvm_cpu *cpu, const struct kvm_cpuid2 *cpuid)
{
    amend_msr(cpu, MSR_MTRR_DEF_TYPE, MTRR_TYPE_MASK, MTRR_ENABLED | MTRR_WRITE_BACK);
    amend_msr(cpu, MSR_MISC_ENABLE, 0, MISC_FAST_STRINGS);
    set_xcr0(cpu, cpuid);
}
