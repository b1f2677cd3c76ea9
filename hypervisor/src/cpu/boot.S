/*
 * The first instructions of every hart, in HS-mode with translation off.
 *
 * From OpenSBI (SBI 9.1): a0 = hart id, a1 = device tree or, for a hart started by us, its
 * `struct cpu`. Nothing else is defined; interrupts are off (sstatus.SIE = 0).
 */
#include "cpu/csr.h"
#include "offsets.h"

    .section .text.boot, "ax"
    .globl boot_entry
boot_entry:
    csrw    CSR_SIE, zero
    csrw    CSR_SATP, zero
    la      t0, boot_taken
    li      t1, 1
    amoswap.w.aqrl t1, t1, (t0)
    bnez    t1, boot_astray
    la      sp, boot_stack_top
    la      t0, bss_start
    la      t1, bss_end
1:  bgeu    t0, t1, 2f
    sd      zero, 0(t0)
    addi    t0, t0, 8
    j       1b
2:  la      t0, host_trap_entry
    csrw    CSR_STVEC, t0
    call    main
3:  wfi
    j       3b

    .globl boot_secondary
boot_secondary:
    csrw    CSR_SIE, zero
    csrw    CSR_SATP, zero
    mv      tp, a1
    ld      sp, CPU_STACK_TOP(tp)
    la      t0, host_trap_entry
    csrw    CSR_STVEC, t0
    call    cpu_secondary
4:  wfi
    j       4b

/*
 * OpenSBI 1.1 says that a hart is to start before it writes down where: a hart that looks in
 * between comes to where the first one was sent. Harts are started one at a time.
 */
boot_astray:
    la      t0, cpu_starting
    ld      a1, (t0)
    j       boot_secondary

    .data
    .balign 4
boot_taken: /* not in .bss, which the first hart clears */
    .word   0

    .section .bss.stack, "aw", @nobits
    .balign 16
    .space  32768
boot_stack_top:
