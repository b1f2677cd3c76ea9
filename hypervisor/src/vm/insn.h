/*
 * Decodes the RISC-V instructions that a hypervisor must understand: those that access memory,
 * which it emulates on device addresses or refuses, and those that trap by themselves (Unprivileged
 * ISA 20240411: I, A, F, D, C, Zfh, Zcb; Privileged for SYSTEM). RV64. Pure.
 */
#ifndef VM_INSN_H
#define VM_INSN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum insn_kind {
    INSN_OTHER, /* anything else, also invalid instructions */
    INSN_LOAD,
    INSN_STORE,
    INSN_FP_LOAD,
    INSN_FP_STORE,
    INSN_LR,
    INSN_SC,
    INSN_AMO,
    INSN_CSR,
    INSN_ECALL,
    INSN_EBREAK,
    INSN_WFI,
    INSN_WRS, /* wrs.nto, wrs.sto */
    INSN_SRET,
    INSN_FENCE_VMA, /* sfence.vma, hfence.*, sinval.* */
    INSN_HLS,       /* hlv, hlvx, hsv */
    INSN_CBO,       /* cbo.inval, clean, flush, zero */
    INSN_KINDS
};

struct insn {
    enum insn_kind kind;
    uint32_t bits;        /* 16 of them where length is 2 */
    uint8_t length;       /* 2 or 4 bytes */
    uint8_t width;        /* bytes of memory it moves: 1, 2, 4 or 8 */
    bool sign;            /* a load that extends the sign */
    uint8_t rd, rs1, rs2; /* rd of a load, rs2 of a store: FP registers for the FP kinds */
    int32_t offset;       /* added to rs1 */
    uint16_t csr;         /* INSN_CSR: its number; */
    uint8_t funct;        /* funct3 of CSR, cbo number, funct5 of AMO */
};

/* 2 or 4: how long an instruction with these first 16 bits is (longer ones count as 4). */
static inline unsigned insn_length(uint16_t low)
{
    return (low & 3) == 3 ? 4 : 2;
}

/* Decodes; for a compressed instruction only the low 16 bits count. Every value is accepted. */
struct insn insn_decode(uint32_t bits);

/* Writes it as assembly, such as "lw a0, 8(sp)"; returns `text`. */
enum { INSN_TEXT_SIZE = 48 };
const char *insn_text(const struct insn *insn, char text[INSN_TEXT_SIZE]);
const char *insn_register(unsigned index); /* "zero", "ra", ... */

#endif
