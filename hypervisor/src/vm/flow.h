/*
 * The possible successors of an instruction: the addresses at which one of them is executed next,
 * for single steps by inserted breakpoints (Unprivileged ISA 20240411: I, C, A 14.3 for LR/SC).
 * Pure.
 */
#ifndef VM_FLOW_H
#define VM_FLOW_H

#include "vm/insn.h"

enum { FLOW_NEXT_MAX = 2, FLOW_LOOP_MAX = 16 };

/* What the answer depends on besides the instruction. */
struct flow_state {
    uint64_t pc, x[32];
    uint64_t vsepc, vstvec;
    bool supervisor; /* VS-mode, not VU-mode */
};

/* Fills `next`; how many there are, 1 or 2. An instruction that traps runs the guest's handler
 * first and then comes back. */
unsigned flow_next(const struct flow_state *state, const struct insn *insn,
                   uint64_t next[FLOW_NEXT_MAX]);

#endif
