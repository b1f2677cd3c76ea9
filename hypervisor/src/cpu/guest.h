/*
 * The registers that switch.S and fpu.S move between a hart and memory, and the CSRs of the guest's
 * last trap.
 */
#ifndef CPU_GUEST_H
#define CPU_GUEST_H

#include "lib/types.h"

/* The CSRs that describe a trap out of the guest. */
struct guest_trap {
    uint64_t cause, stval, htval, htinst;
};

/* x[0] is never read. */
struct guest_registers {
    uint64_t x[32];
    uint64_t pc, sstatus, hstatus;
    uint64_t host_sp;
    struct guest_trap trap;
};

struct guest_vector {
    uint64_t vstart, vl, vtype, vcsr;
    uint8_t *registers; /* 32 of vlenb bytes; NULL: the hart has no vector unit */
};

/* Runs the guest until it traps; `trap` says why. Interrupts stay off in the host. */
void guest_enter(struct guest_registers *guest);

/* f[32] is fcsr. */
void fpu_save(uint64_t f[33]);
void fpu_load(const uint64_t f[33]);
uint64_t fpu_get(unsigned index); /* raw bits of an FP register */
void fpu_set(unsigned index, uint64_t bits);
void vector_save(struct guest_vector *to);
void vector_load(const struct guest_vector *from);

static inline uint64_t guest_reg(const struct guest_registers *guest, unsigned index)
{
    return index == 0 ? 0 : guest->x[index];
}

static inline void guest_set_reg(struct guest_registers *guest, unsigned index, uint64_t value)
{
    if (index != 0)
        guest->x[index] = value;
}

#endif
