/*
 * A guest that does what a guest must not do: bad SBI calls with pseudo-random arguments, loads, stores, fetches and
 * atomics at every class of address, instructions of the H extension, device registers with every width, page-table
 * games. Its traps only count. Afterwards it says how many there were and powers off.
 */
    .option norelax
    .option norvc
    .text
    .globl evil_boot
evil_boot:
    la      t0, trap
    csrw    stvec, t0
    li      s2, 0                   /* traps */
    li      s5, 0x9e3779b97f4a7c15  /* the generator's state */
    rdtime  s11                     /* when random calls may end */
    li      t0, SECONDS * 10000000
    add     s11, s11, t0

    /* Every class of address, by loads, stores, atomics and floating point. */
    la      s7, addresses
1:  ld      s8, 0(s7)
    li      t0, -1
    beq     s8, t0, 3f
    lb      a1, 0(s8)
    lw      a1, 0(s8)
    ld      a1, 0(s8)
    ld      a1, 1(s8)
    sb      zero, 3(s8)
    sw      zero, 0(s8)
    sd      zero, 0(s8)
    sd      zero, 5(s8)
    lr.w    a1, (s8)
    sc.w    a1, a1, (s8)
    amoadd.d a1, a1, (s8)
    fld     f1, 0(s8)
    fsw     f1, 0(s8)
    la      ra, 2f
    jr      s8                      /* the trap handler comes back to ra when pc is not here */
2:  addi    s7, s7, 8
    j       1b

    /* What only a hypervisor may do, and what does not exist. */
3:  csrr    a1, 0x600               /* hstatus */
    csrw    0x680, zero             /* hgatp */
    csrr    a1, 0x300               /* mstatus */
    csrr    a1, 0x24d               /* vstimecmp */
    .word   0x22000073              /* hfence.vvma */
    .word   0x62000073              /* hfence.gvma */
    .word   0x64050573              /* hlv.b-like */
    mret
    .word   0xffffffff
    ebreak
    csrr    a1, 0x7a0
    .word   0x0000200f              /* cbo.inval (zero) */

    /* Translation through tables that are not memory: ours is mapped as it is, the first gigabyte through a table where
     * nothing is, the second through one in the PLIC. The trap handler turns translation off again. */
    li      t3, 0x80400000
    li      t0, 0x10000001          /* a table at 0x40000000 */
    sd      t0, 0(t3)
    li      t0, 0x03000001          /* a table at 0x0c000000 */
    sd      t0, 8(t3)
    li      t0, 0x200000cf          /* 0x80000000, a leaf */
    sd      t0, 16(t3)
    li      t3, 0x8000000000080400
    csrw    satp, t3
    sfence.vma
    li      t0, 0x1008
    ld      a1, 0(t0)
    csrw    satp, t3
    sd      a1, 0(t0)
    csrw    satp, t3
    li      t0, 0x40000000
    ld      a1, 0(t0)
    csrw    satp, zero
    sfence.vma

    /* SBI: any extension, any function, any arguments but those that end us; 20,000 calls between looks at the clock. */
calls:
    li      s6, 20000
4:  call    random
    andi    t1, a0, 15
    slli    t1, t1, 3
    la      t0, extensions
    add     t0, t0, t1
    ld      s9, 0(t0)
    call    random
    mv      s10, a0
    call    random
    mv      a1, a0
    call    random
    mv      a2, a0
    call    random
    mv      a3, a0
    mv      a0, s10
    andi    a6, s10, 7
    mv      a7, s9
    ecall
    addi    s6, s6, -1
    bnez    s6, 4b
    rdtime  t0
    bltu    t0, s11, calls

    la      s0, text
    li      s1, 0
5:  lbu     a0, 0(s0)
    beqz    a0, 6f
    li      a7, 1
    ecall
    addi    s0, s0, 1
    j       5b
6:  li      a7, 8
    ecall
    j       .

/* a0 = the next pseudo-random number (xorshift) */
random:
    slli    a0, s5, 13
    xor     s5, s5, a0
    srli    a0, s5, 7
    xor     s5, s5, a0
    slli    a0, s5, 17
    xor     s5, s5, a0
    mv      a0, s5
    ret

    .balign 4
trap:
    addi    s2, s2, 1
    csrw    satp, zero
    csrr    t0, sepc
    la      t1, evil_boot
    la      t2, addresses
    bltu    t0, t1, 7f
    bgeu    t0, t2, 7f
    addi    t0, t0, 4
    csrw    sepc, t0
    li      t0, 0x100
    csrs    sstatus, t0
    sret
7:  csrw    sepc, ra
    li      t0, 0x100
    csrs    sstatus, t0
    sret

    .balign 8
addresses:
    .dword  0x0, 0x100, 0x1000, 0x2000000, 0x200bff8, 0x0c000000, 0x0c000004, 0x0c002000, 0x0c200004, 0x0fffffff
    .dword  0x0ffffff9, 0x10000000, 0x100000fc, 0x10001000, 0x10001030, 0x10001ffc, 0x30000000, 0x40000000
    .dword  0x80000000, 0x8007fff8, 0x7ffffff9, 0x87fffffc, 0x88000000, 0xffffffff, 0x100000000
    .dword  0x1ffffffffff, 0x20000000000, 0x3ffffffffffff, 0x8000000000000000, 0xfffffffffffffff0
    .dword  -1
extensions:
    .dword  0x10, 0x54494d45, 0x735049, 0x52464e43, 0x504d55, 0x4442434e, 0x53555350, 0x0, 0x3, 0x4
    .dword  0x5, 0x6, 0x7, 0x12345678, 0x46574654, 0x535441
text: .asciz "evil: still here after everything\n"
