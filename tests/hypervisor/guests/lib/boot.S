/*
 * The first instructions of a test guest written in C, on every hart, and its trap vector. Traps are taken on the stack
 * they find and end in guest_trap() (guest.c), which returns where to go on.
 */
    .option norelax
    .text
/* From the hypervisor, or the firmware: a0 = hart id, a1 = device tree. */
    .globl  guest_boot
guest_boot:
    la      sp, boot_stack_top
    la      t0, trap_vector
    csrw    stvec, t0
    call    main
    call    guest_finish

/* From SBI: a0 = hart id, a1 = where its stack ends; there lies what to call. The very start and resume of a hart. */
    .globl  hart_boot
hart_boot:
    la      t0, trap_vector
    csrr    a2, stvec
    csrw    stvec, t0
    mv      sp, a1
    ld      t1, 0(a1)
    csrr    a1, sstatus
    csrr    a3, satp
    jalr    t1
1:  wfi
    j       1b

    .macro  registers op
    \op     ra, 0(sp)
    .irp    n, 5,6,7,28,29,30,31
    \op     x\n, \n*8(sp)
    .endr
    .irp    n, 10,11,12,13,14,15,16,17
    \op     x\n, \n*8(sp)
    .endr
    .endm

    .balign 4
trap_vector:
    addi    sp, sp, -256
    registers sd
    csrr    a0, scause
    csrr    a1, stval
    csrr    a2, sepc
    call    guest_trap
    csrw    sepc, a0
    registers ld
    addi    sp, sp, 256
    sret

/* long suspend(unsigned type, resume, argument): SBI's HSM or SUSP call with a mark in s1 that must outlive it. */
    .globl  suspend_marked
suspend_marked:
    addi    sp, sp, -16
    sd      s1, 0(sp)
    li      s1, 0x57a957a9
    ecall
    li      t0, 0x57a957a9
    beq     s1, t0, 1f
    li      a0, -99
1:  ld      s1, 0(sp)
    addi    sp, sp, 16
    ret

    .bss
    .balign 16
    .space  16384
boot_stack_top:
