/*
 * A small guest in VS-mode. It prints through SBI, touches memory that is not mapped yet, causes faults, handles them,
 * and shuts the machine down. Entry at guest physical 0x100000 (a0 = hart id, a1 = device tree). Works without a stack.
 */
    .section .text
    .option norelax                 /* for linkers that cannot relax */
    .globl guest_boot
guest_boot:
    la      t0, trap
    csrw    stvec, t0
    la      s0, hello
    call    print

    /* The first store to a page traps to the hypervisor, which maps it. */
    li      t1, 0x300000
    li      t2, 0x1234567890abcdef
    sd      t2, 0(t1)
    ld      t3, 0(t1)
    bne     t2, t3, failed
    la      s0, memory
    call    print

    /* An illegal instruction traps to this guest directly, without the hypervisor. */
    .4byte  0xffffffff
    la      s0, illegal
    call    print

    /* A load from an address without memory traps to the hypervisor, which injects the fault here. */
    li      t1, 0x40000000
    ld      t3, 0(t1)
    la      s0, nothing
    call    print

    /* So does a store to this guest's code, which is read-only in the image. */
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

/* Handles any trap: counts it in s2 and continues after the instruction. */
    .balign 4
trap:
    csrr    s1, sepc
    lhu     s3, 0(s1)               /* the low bits give the instruction's length */
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
