/*
 * One instruction of the guest, decoded by Zydis (https://zydis.re, Debian's libzydis), with the
 * values its operands have in a snapshot. Beside this folder only host/zydis.c knows Zydis.
 */
#ifndef EXPLAIN_INSTRUCTION_H
#define EXPLAIN_INSTRUCTION_H

#include <Zydis/Zydis.h>
#include <stdbool.h>
#include <stddef.h>

#include "watch/explain/snapshot.h"
#include "watch/explain/walk.h"

_Static_assert(ZYDIS_VERSION_MAJOR(ZYDIS_VERSION) >= 3,
               "Zydis 3 or newer is needed (libzydis-dev)");

enum { INSTRUCTION_MAX = 15 };

struct instruction {
    ZydisDecodedInstruction i;
    ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
    unsigned visible; /* so many of them are written in assembly */
};

enum instruction_error { INSTRUCTION_GOOD, INSTRUCTION_CUT, INSTRUCTION_INVALID };

/* Decodes with the mode of the code at CS. CUT: `size` bytes are too few to tell. */
enum instruction_error instruction_decode(const struct snapshot *s, const uint8_t *bytes,
                                          size_t size, struct instruction *instruction);

/* The instruction at a linear address, whatever the page's rights; false if none can be read. */
bool instruction_at(const struct snapshot *s, gva_t at, struct instruction *instruction);

/* AT&T syntax, as the guests here are written. `rip`: where it stands in its segment. */
void instruction_text(const struct instruction *instruction, uint64_t rip, char *text, size_t size);

/* One access to memory that the instruction makes. */
struct instruction_access {
    const struct kvm_segment *segment;
    uint64_t offset;
    gva_t linear;
    unsigned size; /* bytes; 0: not known, one is looked at */
    enum walk_access access;
    bool stack; /* faults are #SS, not #GP */
};

/* The memory operand at `index` of the list; false if it is not one, or is not accessed. */
bool instruction_access(const struct snapshot *s, const struct instruction *instruction,
                        unsigned index, struct instruction_access *access);

/* The value of visible operand `index`: register, immediate or memory; false if it has none. */
bool instruction_value(const struct snapshot *s, const struct instruction *instruction,
                       unsigned index, uint64_t *value);

#endif
