/* The debugger's ioctls; see debug.h. */
#include "host/kvm/debug.h"

#include <errno.h>
#include <string.h>
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

/*
 * The x87 and SSE state in the layout of FXSAVE, which is the beginning of KVM_GET_XSAVE's (Intel
 * SDM volume 1, 10.5.1, 13.4). KVM_GET_FPU lacks MXCSR, and values of KVM_SET_FPU are lost if the
 * vCPU has not used that state component yet: only the header behind this marks it as in use.
 */
struct fxsave {
    uint16_t control, status;
    uint8_t tags, reserved;
    uint16_t opcode;
    uint64_t last_ip, last_dp;
    uint32_t mxcsr, mxcsr_mask;
    uint8_t st[8][16], xmm[16][16], unused[96];
    uint64_t in_use;
};
enum { IN_USE_X87 = 1 << 0, IN_USE_SSE = 1 << 1 };
_Static_assert(sizeof(struct fxsave) == 512 + 8, "512 bytes and the first field of the header");

static int read_fpu(const struct kvm_cpu *cpu, struct kvm_fpu *fpu)
{
    struct kvm_xsave state;
    struct fxsave fx;

    if (ioctl(cpu->fd, KVM_GET_XSAVE, &state) < 0)
        return -errno;
    memcpy(&fx, &state, sizeof fx);
    *fpu = (struct kvm_fpu){.fcw = fx.control,
                            .fsw = fx.status,
                            .ftwx = fx.tags,
                            .last_opcode = fx.opcode,
                            .last_ip = fx.last_ip,
                            .last_dp = fx.last_dp,
                            .mxcsr = fx.mxcsr};
    memcpy(fpu->fpr, fx.st, sizeof fpu->fpr);
    memcpy(fpu->xmm, fx.xmm, sizeof fpu->xmm);
    return 0;
}

int kvm_write_fpu(const struct kvm_cpu *cpu, const struct kvm_fpu *fpu)
{
    struct kvm_xsave state;
    struct fxsave fx;

    if (ioctl(cpu->fd, KVM_GET_XSAVE, &state) < 0)
        return -errno;
    memcpy(&fx, &state, sizeof fx);
    fx.control = fpu->fcw;
    fx.status = fpu->fsw;
    fx.tags = fpu->ftwx;
    fx.opcode = fpu->last_opcode;
    fx.last_ip = fpu->last_ip;
    fx.last_dp = fpu->last_dp;
    fx.mxcsr = fpu->mxcsr;
    memcpy(fx.st, fpu->fpr, sizeof fx.st);
    memcpy(fx.xmm, fpu->xmm, sizeof fx.xmm);
    fx.in_use |= IN_USE_X87 | IN_USE_SSE;
    memcpy(&state, &fx, sizeof fx);
    return result_of(ioctl(cpu->fd, KVM_SET_XSAVE, &state));
}

int kvm_read_registers(const struct kvm_cpu *cpu, struct kvm_regs *regs, struct kvm_sregs *sregs,
                       struct kvm_fpu *fpu)
{
    if (ioctl(cpu->fd, KVM_GET_REGS, regs) < 0 || ioctl(cpu->fd, KVM_GET_SREGS, sregs) < 0)
        return -errno;
    return fpu == NULL ? 0 : read_fpu(cpu, fpu);
}

int kvm_write_general(const struct kvm_cpu *cpu, const struct kvm_regs *regs)
{
    if (ioctl(cpu->fd, KVM_SET_REGS, regs) < 0)
        return -errno;
    cpu->run->s.regs.regs = *regs;
    cpu->run->kvm_dirty_regs = 0; /* a device's changes are in `regs` already */
    return 0;
}

int kvm_write_special(const struct kvm_cpu *cpu, const struct kvm_sregs *sregs)
{
    struct kvm_sregs mended = *sregs;

    kvm_mend_sregs(&mended.tr);
    return result_of(ioctl(cpu->fd, KVM_SET_SREGS, &mended));
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
