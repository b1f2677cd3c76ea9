/*
 * Floating-point and vector registers of one guest must not change under the hands of another. Two of these run on one
 * hart, with different SEED and LENGTH. Each fills its registers, then for a while only reads them (so that they stay
 * clean, and are loaded without having been saved), then fills them with something else; for two seconds of its own time.
 */
    .set    ROUNDS_A_FILL, 256
    .option norelax
    .text
    .globl  registers_boot
registers_boot:
    la      t0, defect
    csrw    stvec, t0
    li      t0, 3 << 13 | 3 << 9    /* FS, VS */
    csrs    sstatus, t0
    csrr    s3, 0xc22               /* vlenb */
    slli    s3, s3, 5               /* bytes in all vector registers */
    li      s4, SEED
    rdtime  s5
    li      t0, 20000000            /* two seconds at the 10 MHz of QEMU's machine */
    add     s5, s5, t0
    la      s0, begun
    call    say

1:  addi    s4, s4, 0x101
    call    fill
    li      s6, ROUNDS_A_FILL
2:  call    check
    addi    s6, s6, -1
    bnez    s6, 2b
    rdtime  t0
    bltu    t0, s5, 1b

    la      s0, kept
    call    say
    j       off

    .macro  each_group instruction
    .irp    n, 0,8,16,24
    \instruction v\n, (t0)
    srli    t1, s3, 2
    add     t0, t0, t1
    .endr
    .endm

/* f<n> = seed + n, the vector registers seed + offset, then the modes, which fill nothing but are state too. */
fill:
    la      t0, buffer
    mv      t1, s4
    add     t2, t0, s3
3:  sd      t1, 0(t0)
    addi    t1, t1, 8
    addi    t0, t0, 8
    bltu    t0, t2, 3b
    la      t0, buffer
    each_group vl8re8.v
    .irp    n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    addi    t0, s4, \n
    fmv.d.x f\n, t0
    .endr
    andi    t0, s4, 3
    slli    t0, t0, 5
    ori     t0, t0, LENGTH
    fscsr   t0                      /* a rounding mode, some flags */
    li      t0, LENGTH
    vsetvli x0, t0, e16, m2, ta, ma
    csrwi   0x00a, LENGTH & 3       /* vxrm */
    ret

check:
    csrr    t0, 0xc20               /* vl */
    li      t1, LENGTH
    bne     t0, t1, defect
    csrr    t0, 0xc21               /* vtype: e16, m2, ta, ma */
    li      t1, 0xc9
    bne     t0, t1, defect
    csrr    t0, 0x00a
    li      t1, LENGTH & 3
    bne     t0, t1, defect
    frcsr   t0
    andi    t1, s4, 3
    slli    t1, t1, 5
    ori     t1, t1, LENGTH
    bne     t0, t1, defect
    .irp    n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    addi    t1, s4, \n
    fmv.x.d t0, f\n
    bne     t0, t1, 5f
    .endr
    la      t0, buffer
    each_group vs8r.v
    la      t0, buffer
    add     t2, t0, s3
    mv      t1, s4
4:  ld      t3, 0(t0)
    bne     t3, t1, 5f
    addi    t1, t1, 8
    addi    t0, t0, 8
    bltu    t0, t2, 4b
    ret
5:  j       defect

    .balign 4
defect:
    la      s0, wrong
    call    say
    j       off

    .include "say.inc"
begun: .asciz "registers: begun\n"
kept:  .asciz "registers: kept\n"
wrong: .asciz "registers: defect, this is not what was put there\n"
    .balign 16
buffer: .zero 32 * 512
