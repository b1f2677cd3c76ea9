/*
 * How the CPU would deliver an exception: through the interrupt table to a handler and its stack,
 * or why it cannot. Intel SDM volume 3, 6.12 (protected mode), 6.14 (64-bit), 21.1.4 (real mode).
 */
#ifndef EXPLAIN_DELIVER_H
#define EXPLAIN_DELIVER_H

#include "watch/explain/fault/exception.h"
#include "watch/explain/fault/gate.h"

struct delivery {
    bool possible;
    struct gate gate;
    struct descriptor code;  /* of the gate's selector, where the gate was good */
    gva_t handler;           /* linear, where possible */
    gva_t stack;             /* linear top of the stack that the handler starts with */
    struct exception failed; /* what this raises instead, and why */
};

struct delivery deliver_exception(const struct snapshot *s, const struct exception *e);

#endif
