/* Gates of the interrupt table: Intel SDM volume 3, 6.11 (32-bit), 6.14.1 (64-bit), 21.1.4 (the
 * vectors of real mode). */
#ifndef EXPLAIN_GATE_H
#define EXPLAIN_GATE_H

#include "watch/explain/fault/descriptor.h"

/* A gate of the IDT, or in real mode a vector of the interrupt table. */
struct gate {
    unsigned vector;
    gva_t at;
    bool inside;   /* the table reaches that far */
    bool readable; /* it is mapped memory */
    struct walk walk;
    uint64_t raw, raw_high;
    uint16_t selector;
    uint64_t offset;
    uint8_t type, dpl, ist;
    bool present, segment;
};

struct gate gate_look(const struct snapshot *s, unsigned vector);
void gate_print(struct text *text, const struct snapshot *s, const struct gate *gate);

#endif
