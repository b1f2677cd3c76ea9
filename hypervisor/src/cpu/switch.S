/*
 * In and out of a guest, and the hypervisor's own trap vector. The two vectors are apart: stvec is
 * guest_trap only between the last instructions of guest_enter and the first of guest_trap.
 */
#include "cpu/csr.h"
#include "offsets.h"

    .macro  guest_registers op
    .irp    n, 1,2,3,4,5,6,7,8,9,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    \op     x\n, GUEST_X + \n*8(a0)
    .endr
    .endm

    .macro  host_registers op
    \op     ra, 0(sp)
    .irp    n, 0,1,2,3,4,5,6,7,8,9,10,11
    \op     s\n, 8 + \n*8(sp)
    .endr
    \op     tp, 104(sp)
    .endm

/*
 * void guest_enter(struct guest_registers *guest): a0 = guest. Returns after the guest's next trap, with trap, pc
 * and x filled. Interrupts are off in HS-mode before and after (SIE = SPIE = 0). Keeps the
 * callee-saved registers and tp; gp is not used by the hypervisor.
 */
    .text
    .globl  guest_enter
guest_enter:
    addi    sp, sp, -112
    host_registers sd
    sd      sp, GUEST_HOST_SP(a0)
    la      t0, guest_trap
    csrw    CSR_STVEC, t0
    csrw    CSR_SSCRATCH, a0
    ld      t0, GUEST_PC(a0)
    ld      t1, GUEST_SSTATUS(a0)
    ld      t2, GUEST_HSTATUS(a0)
    csrw    CSR_SEPC, t0
    csrw    CSR_SSTATUS, t1
    csrw    CSR_HSTATUS, t2
    guest_registers ld
    ld      a0, GUEST_X + 10*8(a0)
    sret

    .balign 4
guest_trap:
    csrrw   a0, CSR_SSCRATCH, a0
    guest_registers sd
    csrr    t0, CSR_SSCRATCH
    csrr    t1, CSR_SEPC
    csrr    t2, CSR_SSTATUS
    csrr    t3, CSR_HSTATUS
    sd      t0, GUEST_X + 10*8(a0)
    sd      t1, GUEST_PC(a0)
    sd      t2, GUEST_SSTATUS(a0)
    sd      t3, GUEST_HSTATUS(a0)
    csrr    t0, CSR_SCAUSE
    csrr    t1, CSR_STVAL
    csrr    t2, CSR_HTVAL
    csrr    t3, CSR_HTINST
    sd      t0, GUEST_CAUSE(a0)
    sd      t1, GUEST_STVAL(a0)
    sd      t2, GUEST_HTVAL(a0)
    sd      t3, GUEST_HTINST(a0)
    la      t0, host_trap_entry
    csrw    CSR_STVEC, t0
    ld      sp, GUEST_HOST_SP(a0)
    host_registers ld
    addi    sp, sp, 112
    ret

/*
 * A trap of the hypervisor itself: an instruction of the exception table, or a defect of ours. Saves
 * what a C function may change and calls host_trap(sepc), which returns where to go on.
 */
    .macro  scratch_registers op
    \op     ra, 0(sp)
    \op     t0, 8(sp)
    \op     t1, 16(sp)
    \op     t2, 24(sp)
    \op     t3, 32(sp)
    \op     t4, 40(sp)
    \op     t5, 48(sp)
    \op     t6, 56(sp)
    .irp    n, 0,1,2,3,4,5,6,7
    \op     a\n, 64 + \n*8(sp)
    .endr
    .endm

    .balign 4
    .globl  host_trap_entry
host_trap_entry:
    addi    sp, sp, -128
    scratch_registers sd
    csrr    a0, CSR_SEPC
    call    host_trap
    csrw    CSR_SEPC, a0
    scratch_registers ld
    addi    sp, sp, 128
    sret
