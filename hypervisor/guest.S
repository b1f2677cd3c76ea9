/*
 * A guest in VS-mode, alone with the hypervisor: it prints through SBI, lets memory appear under its
 * hands, does what it may not, survives that, and switches the machine off. Entry at guest physical
 * 0x100000 (a0 = hart id, a1 = device tree). Works without a stack.
 */
    .section .text
    .option norelax                 /* for linkers that cannot relax */
    .globl guest_boot
guest_boot:
    la      t0, trap
    csrw    stvec, t0
    la      s0, hello
    call    print

    /* Memory that was never touched: the first store traps to the hypervisor, which maps a page. */
    li      t1, 0x300000
    li      t2, 0x1234567890abcdef
    sd      t2, 0(t1)
    ld      t3, 0(t1)
    bne     t2, t3, failed
    la      s0, memory
    call    print

    /* An illegal instruction is our own trap: the hypervisor never hears of it. */
    .4byte  0xffffffff
    la      s0, illegal
    call    print

    /* So is a load where nothing is, but that fault the hypervisor hands to us. */
    li      t1, 0x40000000
    ld      t3, 0(t1)
    la      s0, nothing
    call    print

    /* And a store to our own instructions, which the image says are read-only. */
    la      t1, guest_boot
    sd      zero, 0(t1)
    beqz    s2, failed
    la      s0, readonly
    call    print

    la      s0, goodbye
    call    print
    li      a0, 0                   /* shut down, no reason */
    li      a1, 0
off:
    li      a7, 0x53525354          /* SRST */
    li      a6, 0
    ecall
    j       .
failed:
    la      s0, wrong
    call    print
    li      a0, 0
    li      a1, 1                   /* system failure */
    j       off

/* Prints the text at s0 through the debug console, byte by byte. */
print:
    lbu     a0, 0(s0)
    beqz    a0, 1f
    li      a7, 0x4442434e          /* DBCN */
    li      a6, 2                   /* write byte */
    ecall
    addi    s0, s0, 1
    j       print
1:  ret

/* Any trap: counts it in s2 and goes on behind the instruction, which was four bytes long. */
    .balign 4
trap:
    csrr    s1, sepc
    lhu     s3, 0(s1)               /* its first half says how long the instruction is */
    andi    s3, s3, 3
    addi    s1, s1, 2
    li      s4, 3
    bne     s3, s4, 2f
    addi    s1, s1, 2
2:  csrw    sepc, s1
    addi    s2, s2, 1
    sret

    .section .rodata
hello:    .asciz "ABC: hello from VS-mode\n"
memory:   .asciz "memory appears where it is touched: written and read back at 0x300000\n"
illegal:  .asciz "an illegal instruction came back to my own trap handler\n"
nothing:  .asciz "a load from 0x40000000, where nothing is, did too\n"
readonly: .asciz "and so did a store to my own code, which is read-only\n"
goodbye:  .asciz "done: switching off\n"
wrong:    .asciz "something is wrong: giving up\n"
