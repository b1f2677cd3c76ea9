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

/* KVM_GET_FPU leaves MXCSR out; KVM_GET_XSAVE has it where FXSAVE has (Intel SDM volume 1, 10.5.1).
 * The state's header says which parts of it are to be taken (13.4.2). */
enum { XSAVE_MXCSR = 24 / 4, XSAVE_PARTS = 512 / 4, XSAVE_SSE = 1 << 1 };

static int read_mxcsr(const struct kvm_cpu *cpu, uint32_t *mxcsr)
{
    struct kvm_xsave state;

    if (ioctl(cpu->fd, KVM_GET_XSAVE, &state) < 0)
        return -errno;
    *mxcsr = state.region[XSAVE_MXCSR];
    return 0;
}

static int write_mxcsr(const struct kvm_cpu *cpu, uint32_t mxcsr)
{
    struct kvm_xsave state;

    if (ioctl(cpu->fd, KVM_GET_XSAVE, &state) < 0)
        return -errno;
    if (state.region[XSAVE_MXCSR] == mxcsr)
        return 0;
    state.region[XSAVE_MXCSR] = mxcsr;
    state.region[XSAVE_PARTS] |= XSAVE_SSE;
    return result_of(ioctl(cpu->fd, KVM_SET_XSAVE, &state));
}

int kvm_read_registers(const struct kvm_cpu *cpu, struct kvm_regs *regs, struct kvm_sregs *sregs,
                       struct kvm_fpu *fpu)
{
    if (ioctl(cpu->fd, KVM_GET_REGS, regs) < 0 || ioctl(cpu->fd, KVM_GET_SREGS, sregs) < 0)
        return -errno;
    if (fpu == NULL)
        return 0;
    return ioctl(cpu->fd, KVM_GET_FPU, fpu) < 0 ? -errno : read_mxcsr(cpu, &fpu->mxcsr);
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
    return ioctl(cpu->fd, KVM_SET_FPU, fpu) < 0 ? -errno : write_mxcsr(cpu, fpu->mxcsr);
}

struct one_msr {
    struct kvm_msrs header;
    struct kvm_msr_entry entry;
};

uint64_t kvm_read_msr(const struct kvm_cpu *cpu, uint32_t index)
{
    struct one_msr msr = {.header.nmsrs = 1, .entry = {.index = index}};

    return ioctl(cpu->fd, KVM_GET_MSRS, &msr) == 1 ? msr.entry.data : 0;
}

int kvm_write_msr(const struct kvm_cpu *cpu, uint32_t index, uint64_t value)
{
    struct one_msr msr = {.header.nmsrs = 1, .entry = {.index = index, .data = value}};
    int written = ioctl(cpu->fd, KVM_SET_MSRS, &msr);

    return written < 0 ? -errno : written == 1 ? 0 : -EINVAL;
}

int kvm_finish_exit(const struct kvm_cpu *cpu)
{
    int code;

    cpu->run->immediate_exit = 1;
    code = kvm_enter(cpu);
    cpu->run->immediate_exit = 0;
    return code;
}
