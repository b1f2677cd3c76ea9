/* Debugging from outside the guest (KVM_SET_GUEST_DEBUG), see checks.h. Debug registers: Intel SDM
 * volume 3, 18.2. */
#include <sys/ioctl.h>

#include "lab/probe/checks.h"

#define DR7_LOCAL_0 0x1u
#define DR7_WRITE_0 0x10000u /* condition 01 in bits 16-17: data writes, one byte */
#define STEP_2      (CODE_BASE + 1)
#define STEP_AFTER  (CODE_BASE + 10) /* two nops and the eight bytes of the store */

static int start(struct guest *guest, struct guest_code code, uint32_t control, uint64_t address,
                 uint64_t dr7)
{
    struct kvm_guest_debug debug = {
        .control = KVM_GUESTDBG_ENABLE | control,
        .arch.debugreg = {[0] = address, [7] = dr7},
    };
    int result = guest_make(guest, code, GUEST_LONG);

    if (result == 0 && ioctl(guest->cpus[0], KVM_SET_GUEST_DEBUG, &debug) != 0)
        result = guest_fail(guest, "KVM_SET_GUEST_DEBUG: %m");
    return result;
}

static int expect_at(struct guest *guest, uint64_t pc)
{
    int code = guest_expect(guest, 0, KVM_EXIT_DEBUG);
    uint64_t at = guest->runs[0]->debug.arch.pc;

    if (code == 0 && at != pc)
        code = guest_fail(guest, "stopped at 0x%llx instead of 0x%llx", (unsigned long long)at,
                          (unsigned long long)pc);
    return code;
}

int debug_int3(struct guest *guest)
{
    int code = start(guest, GUEST_CODE(breakpoint), KVM_GUESTDBG_USE_SW_BP, 0, 0);

    return code < 0 ? code : expect_at(guest, CODE_BASE + 1);
}

int debug_breakpoint(struct guest *guest)
{
    int code = start(guest, GUEST_CODE(steps), KVM_GUESTDBG_USE_HW_BP, STEP_2, DR7_LOCAL_0);

    return code < 0 ? code : expect_at(guest, STEP_2);
}

int debug_watchpoint(struct guest *guest)
{
    int code = start(guest, GUEST_CODE(steps), KVM_GUESTDBG_USE_HW_BP, DATA_BASE,
                     DR7_LOCAL_0 | DR7_WRITE_0);

    return code < 0 ? code : expect_at(guest, STEP_AFTER);
}

int debug_step(struct guest *guest)
{
    int code = start(guest, GUEST_CODE(steps), KVM_GUESTDBG_SINGLESTEP, 0, 0);

    if (code == 0)
        code = expect_at(guest, CODE_BASE + 1);
    return code < 0 ? code : expect_at(guest, CODE_BASE + 2);
}
