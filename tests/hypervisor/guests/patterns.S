/*
 * Memory of one guest must not be readable in another. Two of these run, MINE and THEIRS exchanged, both with their RAM
 * at the same addresses, so that a translation that outlives a change of guest shows too. Each finds its fresh RAM empty,
 * fills it with its own pattern, and reads it again and again, with and without translation of its own (the same ASID in
 * both); then it loads from everywhere else, and asks the hypervisor to read behind the end of RAM in its stead.
 */
    .set    RAM, 0x80000000
    .set    RAM_END, 0x82000000     /* mem=32M */
    .set    ROUNDS, 16
    .option norelax
    .text
    .globl  patterns_boot
patterns_boot:
    la      t0, trap
    csrw    stvec, t0
    li      s3, MINE
    li      s4, THEIRS
    li      t0, ~0xfff
    and     s5, a1, t0              /* the device tree: what is there is not ours to fill */
    la      t0, table               /* one leaf: 0x80000000 to itself, all permissions */
    li      t1, 0x200000cf
    sd      t1, 16(t0)
    srli    t0, t0, 12
    li      s6, 0x8000100000000000  /* Sv39, ASID 1 */
    or      s6, s6, t0

    li      s9, 0
    call    pass
    la      s0, filled
    call    say

    mv      s9, s3
    li      s8, ROUNDS
1:  andi    t0, s8, 1
    beqz    t0, 2f
    csrw    satp, s6
2:  call    pass
    csrw    satp, zero
    addi    s8, s8, -1
    bnez    s8, 1b

    /* All of 4 GiB in steps of 64 KiB, then what the G stage can reach in steps of 1 GiB. */
    li      t1, 0
    li      t2, 0x10000
    li      t3, 0x100000000
    call    reach
    li      t2, 0x40000000
    li      t3, 0x20000000000
    call    reach

    li      a0, 16                  /* DBCN write: 8 bytes of ours, 8 behind our end */
    li      a1, RAM_END - 8
    li      a2, 0
    li      a6, 0
    li      a7, 0x4442434e
    ecall
    beqz    a0, defect

    la      s0, looked
    call    say
    j       off

/* All of RAM but image and device tree must hold s9; it is given our pattern. */
pass:
    li      t1, RAM
    li      t3, RAM_END
    la      t4, patterns_boot
    la      t5, end
    li      t6, 0x4000              /* what the hypervisor sets aside for the device tree */
3:  bne     t1, t4, 4f
    mv      t1, t5
4:  bne     t1, s5, 5f
    add     t1, t1, t6
    bgeu    t1, t3, 6f
5:  ld      t0, 0(t1)
    bne     t0, s9, defect
    sd      s3, 0(t1)
    addi    t1, t1, 8
    bltu    t1, t3, 3b
6:  ret

/* Loads from t1 to t3 in steps of t2; the trap handler goes on behind a load that failed. */
reach:
    li      t0, 0
    ld      t0, 0(t1)
    beq     t0, s4, defect
    add     t1, t1, t2
    bltu    t1, t3, reach
    ret

defect:
    csrw    satp, zero
    la      s0, wrong
    call    say
    j       off

    .balign 4
trap:                               /* only `reach` traps, at its one load, which is 4 or 2 bytes long */
    csrr    t5, sepc
    lbu     t6, 0(t5)
    andi    t6, t6, 3
    addi    t6, t6, -3
    snez    t6, t6
    slli    t6, t6, 1
    sub     t5, t5, t6
    addi    t5, t5, 4
    csrw    sepc, t5
    sret

    .include "say.inc"
filled: .asciz "patterns: RAM was empty, and is filled\n"
looked: .asciz "patterns: looked everywhere\n"
wrong:  .asciz "patterns: defect, this is not what was left here\n"
    .data
    .balign 4096
table:  .zero 4096
end:
