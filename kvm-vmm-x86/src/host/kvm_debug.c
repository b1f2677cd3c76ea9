/* The debugger's ioctls; see kvm_debug.h. */
#include "host/kvm_debug.h"

#include <errno.h>
#include <sys/ioctl.h>

static int result_of(int code)
{
    return code < 0 ? -errno : 0;
}

int kvm_set_guest_debug(const struct kvm_cpu *cpu, uint32_t control, const uint64_t address[4],
                        uint64_t dr7)
{
    struct kvm_guest_debug debug = {.control = control};

    for (unsigned i = 0; i < 4; i++)
        debug.arch.debugreg[i] = address[i];
    debug.arch.debugreg[7] = dr7;
    return result_of(ioctl(cpu->fd, KVM_SET_GUEST_DEBUG, &debug));
}

uint32_t kvm_guest_debug_flags(int vm)
{
    int flags = ioctl(vm, KVM_CHECK_EXTENSION, KVM_CAP_SET_GUEST_DEBUG2);

    return flags > 0 ? (uint32_t)flags : 0;
}

int kvm_read_registers(const struct kvm_cpu *cpu, struct kvm_regs *regs, struct kvm_sregs *sregs,
                       struct kvm_fpu *fpu)
{
    if (ioctl(cpu->fd, KVM_GET_REGS, regs) < 0 || ioctl(cpu->fd, KVM_GET_SREGS, sregs) < 0)
        return -errno;
    return fpu == NULL ? 0 : result_of(ioctl(cpu->fd, KVM_GET_FPU, fpu));
}

int kvm_write_general(const struct kvm_cpu *cpu, const struct kvm_regs *regs)
{
    if (ioctl(cpu->fd, KVM_SET_REGS, regs) < 0)
        return -errno;
    cpu->run->s.regs.regs = *regs;
    cpu->run->kvm_dirty_regs = 0; /* what a device had changed is part of `regs` */
    return 0;
}

int kvm_write_special(const struct kvm_cpu *cpu, const struct kvm_sregs *sregs)
{
    return result_of(ioctl(cpu->fd, KVM_SET_SREGS, sregs));
}

int kvm_write_fpu(const struct kvm_cpu *cpu, const struct kvm_fpu *fpu)
{
    return result_of(ioctl(cpu->fd, KVM_SET_FPU, fpu));
}

uint64_t kvm_read_msr(const struct kvm_cpu *cpu, uint32_t index)
{
    struct {
        struct kvm_msrs header;
        struct kvm_msr_entry entry;
    } msrs = {.header.nmsrs = 1, .entry = {.index = index}};

    return ioctl(cpu->fd, KVM_GET_MSRS, &msrs) == 1 ? msrs.entry.data : 0;
}

int kvm_finish_exit(const struct kvm_cpu *cpu)
{
    int code;

    cpu->run->immediate_exit = 1;
    code = kvm_enter(cpu);
    cpu->run->immediate_exit = 0;
    return code;
}
