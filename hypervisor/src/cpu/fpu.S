/*
 * A guest's floating-point and vector registers. The hypervisor itself uses neither; sstatus.FS and
 * VS are on while it runs. Vector instructions are encoded by hand for assemblers without them
 * (RISC-V "V" 1.0, 7.9: whole register loads and stores).
 */
#include "cpu/csr.h"
#include "offsets.h"

    .macro  all_fp op
    .irp    n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    \op     f\n, \n*8(a0)
    .endr
    .endm

    .text
/* void fpu_save(uint64_t f[33]): f0 to f31, then fcsr. Clobbers t0. */
    .globl  fpu_save
fpu_save:
    all_fp  fsd
    frcsr   t0
    sd      t0, 256(a0)
    ret

    .globl  fpu_load
fpu_load:
    all_fp  fld
    ld      t0, 256(a0)
    fscsr   t0
    ret

/* uint64_t fpu_get(unsigned index): index < 32 picks one of 32 pairs of instructions. */
    .globl  fpu_get
fpu_get:
    la      t0, 1f
    slli    a0, a0, 3
    add     t0, t0, a0
    jr      t0
    .balign 8
    .option push
    .option norvc
1:
    .irp    n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    fmv.x.d a0, f\n
    ret
    .endr
    .option pop

/* void fpu_set(unsigned index, uint64_t bits) */
    .globl  fpu_set
fpu_set:
    la      t0, 1f
    slli    a0, a0, 3
    add     t0, t0, a0
    jr      t0
    .balign 8
    .option push
    .option norvc
1:
    .irp    n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    fmv.d.x f\n, a1
    ret
    .endr
    .option pop

/* void vector_save(struct guest_vector *to): a0 = to. Clobbers t0, t1 and vstart. */
    .globl  vector_save
vector_save:
    csrr    t0, CSR_VSTART
    sd      t0, VECTOR_VSTART(a0)
    csrr    t0, CSR_VL
    sd      t0, VECTOR_VL(a0)
    csrr    t0, CSR_VTYPE
    sd      t0, VECTOR_VTYPE(a0)
    csrr    t0, CSR_VCSR
    sd      t0, VECTOR_VCSR(a0)
    csrw    CSR_VSTART, zero
    ld      a0, VECTOR_REGISTERS(a0)
    csrr    t1, CSR_VLENB
    slli    t1, t1, 3
    .irp    group, 0,8,16,24
    .word   0xe2850027 + \group * 128   /* vs8r.v v<group>, (a0) */
    add     a0, a0, t1
    .endr
    ret

    .globl  vector_load
vector_load:
    mv      t2, a0
    csrw    CSR_VSTART, zero
    ld      a0, VECTOR_REGISTERS(a0)
    csrr    t1, CSR_VLENB
    slli    t1, t1, 3
    .irp    group, 0,8,16,24
    .word   0xe2850007 + \group * 128   /* vl8re8.v v<group>, (a0) */
    add     a0, a0, t1
    .endr
    ld      a1, VECTOR_VL(t2)
    ld      a2, VECTOR_VTYPE(t2)
    .word   0x80c5f057                  /* vsetvl zero, a1, a2 */
    ld      t0, VECTOR_VCSR(t2)
    csrw    CSR_VCSR, t0
    ld      t0, VECTOR_VSTART(t2)
    csrw    CSR_VSTART, t0
    ret
