/*
 * The first instructions of every hart, in HS-mode with translation off. Before them is a header
 * that makes the flat image one like Linux's, which boot loaders know (Linux's documentation,
 * arch/riscv/boot-image-header).
 *
 * From OpenSBI (SBI 9.1): a0 = hart id, a1 = device tree or, for a hart started by us, its
 * `struct cpu`. Nothing else is defined; interrupts are off (sstatus.SIE = 0).
 */
#include "cpu/csr.h"
#include "offsets.h"

#define LINKED_AT       0x80200000 /* hypervisor.ld */
#define R_RISCV_RELATIVE 3

    .section .text.boot, "ax"
    .globl boot_entry
boot_entry:
    .option push
    .option norvc
    j       boot_first
    .option pop
    .balign 8
    .dword  0x200000 /* from the beginning of RAM: where U-Boot's booti puts it */
    .dword  image_size
    .dword  0 /* little-endian */
    .word   2 /* the header's version, 0.2 */
    .word   0
    .dword  0
    .ascii  "RISCV\0\0\0"
    .ascii  "RSC\005"
    .word   0

boot_first:
    csrw    CSR_SIE, zero
    csrw    CSR_SATP, zero
    la      t0, boot_taken
    li      t1, 1
    amoswap.w.aqrl t1, t1, (t0)
    bnez    t1, boot_astray
    la      sp, boot_stack_top

    /* Each pointer in the image is made right: the linker has listed them. */
    la      t0, rela_start
    la      t1, rela_end
    la      t2, boot_entry
    li      t3, LINKED_AT
    sub     t2, t2, t3
    li      t6, R_RISCV_RELATIVE
1:  bgeu    t0, t1, 3f
    ld      t3, 0(t0)       /* where, */
    ld      t4, 8(t0)       /* how, */
    ld      t5, 16(t0)      /* and what it is as linked */
    bne     t4, t6, 2f
    add     t3, t3, t2
    add     t5, t5, t2
    sd      t5, (t3)
2:  addi    t0, t0, 24
    j       1b
3:  fence.i
    la      t0, bss_start
    la      t1, bss_end
1:  bgeu    t0, t1, 2f
    sd      zero, 0(t0)
    addi    t0, t0, 8
    j       1b
2:  la      t0, host_trap_entry
    csrw    CSR_STVEC, t0
    call    main
4:  wfi
    j       4b

    .globl boot_secondary
boot_secondary:
    csrw    CSR_SIE, zero
    csrw    CSR_SATP, zero
    mv      tp, a1
    ld      sp, CPU_STACK_TOP(tp)
    la      t0, host_trap_entry
    csrw    CSR_STVEC, t0
    call    cpu_secondary
5:  wfi
    j       5b

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
