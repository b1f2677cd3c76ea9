/*
 * A user program's jump that lands on no landing pad (Zicfilp; Privileged Architecture 22.1.1),
 * which its kernel asked to be told of: the exception is the guest's own. Where harts know no
 * landing pads, the program reaches its ebreak.
 */
#include "tests/hypervisor/guests/lib/guest.h"

enum { SPP = 1 << 8, LPE = 1 << 2 };

struct landed {
    uint64_t cause, value;
};

/* Runs the program in VU-mode until it traps. */
struct landed landing_run(void);

__asm__(".option push\n"
        ".option norvc\n"
        ".balign 4\n"
        "landing_run:\n"
        "  la t0, 1f\n"
        "  csrrw t0, stvec, t0\n"
        "  la t1, 2f\n"
        "  csrw sepc, t1\n"
        "  la a1, 3f\n"
        "  sret\n"
        "  .balign 4\n"
        "1: csrw stvec, t0\n"
        "  csrr a0, scause\n"
        "  csrr a1, stval\n"
        "  ret\n"
        "2: jr a1\n"
        "  .balign 4\n"
        "3: ebreak\n"
        ".option pop\n");

int main(void);

int main(void)
{
    struct landed landed;

    csr_write(senvcfg, LPE);
    csr_clear(sstatus, SPP);
    landed = landing_run();
    guest_say("landing pads %s: cause %lu, value %lu", csr_read(senvcfg) & LPE ? "on" : "off",
              landed.cause, landed.value);
    return 0;
}
