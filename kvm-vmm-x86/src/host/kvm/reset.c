/* Resets a vCPU that has run; see reset.h. Sections of Documentation/virt/kvm/api.rst: 4.38
 * (state), 4.31 (events), 4.43 (x87), 4.57 (local APIC). XCR0 gets the value that the vCPU started
 * with: if KVM does not see the guest's XSETBV (firmware.c), a smaller value would stay, and Linux
 * would crash at the first XRSTOR. */
#include "host/kvm/reset.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#include "host/kvm/debug.h"

/* More parts, of 8 bytes each, than KVM makes of one instruction. */
enum { PARTS_MAX = 16 };

/* Intel SDM volume 3, 11.4.7.1: a local APIC after a reset. Registers are 16 bytes apart. */
enum {
    APIC_TPR = 0x80,
    APIC_LDR = 0xd0,
    APIC_DFR = 0xe0,
    APIC_SPURIOUS = 0xf0,
    APIC_ISR = 0x100,
    APIC_ICR_END = 0x320, /* the end of ISR, TMR, IRR, ESR and ICR */
    APIC_LVT_END = 0x380,
    APIC_DIVIDE = 0x3e0,
    LVT_MASKED = 1 << 16,
};

static void put(struct kvm_lapic_state *apic, unsigned at, uint32_t value)
{
    memcpy(apic->regs + at, &value, sizeof value);
}

static int reset_apic(const struct kvm_cpu *cpu)
{
    struct kvm_lapic_state apic;

    if (ioctl(cpu->fd, KVM_GET_LAPIC, &apic) < 0)
        return -1;
    put(&apic, APIC_TPR, 0);
    put(&apic, APIC_LDR, 0);
    put(&apic, APIC_DFR, UINT32_MAX);
    put(&apic, APIC_SPURIOUS, 0xff);
    for (unsigned at = APIC_ISR; at < APIC_ICR_END; at += 16)
        put(&apic, at, 0);
    for (unsigned at = APIC_ICR_END; at < APIC_LVT_END; at += 16)
        put(&apic, at, LVT_MASKED);
    for (unsigned at = APIC_LVT_END; at <= APIC_DIVIDE; at += 16)
        put(&apic, at, 0);
    return ioctl(cpu->fd, KVM_SET_LAPIC, &apic);
}

int kvm_reset_vcpu(const struct kvm_cpu *cpu, const struct kvm_regs *regs,
                   const struct kvm_sregs *sregs, bool first, struct error *error)
{
    struct kvm_mp_state mp = {.mp_state =
                                  first ? KVM_MP_STATE_RUNNABLE : KVM_MP_STATE_UNINITIALIZED};
    struct kvm_vcpu_events events = {0};
    struct kvm_fpu fpu = {.fcw = 0x37f, .mxcsr = 0x1f80};

    if (ioctl(cpu->fd, KVM_SET_VCPU_EVENTS, &events) < 0 || ioctl(cpu->fd, KVM_SET_FPU, &fpu) < 0 ||
        reset_apic(cpu) < 0 || ioctl(cpu->fd, KVM_SET_MP_STATE, &mp) < 0)
        return error_set(error, "KVM does not reset a vCPU: %s", strerror(errno));
    kvm_reset_xcr0(cpu);
    cpu->run->kvm_dirty_regs = 0;
    return kvm_set_state(cpu, regs, sregs, error);
}

/* KVM on AMD clears the VMCB of a vCPU that shuts down, and with it the root of the nested page
 * tables. If paging is off it sets the root again only when CR3 changes (6.1); otherwise the guest
 * never executes an instruction. */
static int leave_shutdown(const struct kvm_cpu *cpu, struct error *error)
{
    struct kvm_sregs sregs;

    if (kvm_get_sregs(cpu, &sregs, error) < 0)
        return -1;
    sregs.cr3 ^= PAGE_SIZE;
    return ioctl(cpu->fd, KVM_SET_SREGS, &sregs) < 0
               ? error_set(error, "KVM does not take a vCPU out of its shutdown: %s",
                           strerror(errno))
               : 0;
}

/* A string instruction exits for one item after the other: sets RCX so that this one is the last.
 * KVM uses registers that were set meanwhile. */
static void end_string(const struct kvm_cpu *cpu)
{
    struct kvm_sregs sregs;
    struct kvm_regs regs;

    if (kvm_read_registers(cpu, &regs, &sregs, NULL) < 0)
        return;
    regs.rcx = cpu->run->exit_reason == KVM_EXIT_IO ? cpu->run->io.count : 1;
    (void)!kvm_write_general(cpu, &regs);
}

int kvm_leave_exit(const struct kvm_cpu *cpu, struct error *error)
{
    bool shut = cpu->run->exit_reason == KVM_EXIT_SHUTDOWN;

    for (unsigned part = 0; part < PARTS_MAX && kvm_finish_exit(cpu) == 0; part++)
        end_string(cpu);
    cpu->run->kvm_dirty_regs = 0;
    return shut ? leave_shutdown(cpu, error) : 0;
}
