/*
 * Which exception the instruction at RIP raises, if any, in the order in which a CPU looks: fetch,
 * decoding, privilege, then what the instruction itself checks. Intel SDM volume 3, 6.9 (priority)
 * and the instruction's own page in volume 2.
 *
 * An answer of "none" is no proof: what depends on devices, MSRs or FPU state is not known here.
 */
#ifndef EXPLAIN_RAISE_H
#define EXPLAIN_RAISE_H

#include "watch/explain/fault/exception.h"
#include "watch/explain/fault/instruction.h"

struct raise {
    struct exception exception; /* vector EXCEPTION_NONE: none found */
    bool decoded;
    struct instruction instruction; /* where decoded */
    char text[96];                  /* the same in words; empty where not decoded */
    bool outside;                   /* it is fetched from, or reaches, where there is no RAM */
    gpa_t outside_at;
    uint16_t selectors[3]; /* what it loads into segment registers, for the report */
    unsigned selector_count;
};

struct raise raise_look(const struct snapshot *s);

/* For the files of this folder: one look's state, and the checks of raise_system.c. Each check is
 * true when it has found the exception. */
struct raise_context {
    const struct snapshot *s;
    struct raise *r;
    struct exception *e; /* r->exception */
    const struct instruction *in;
};

bool raise_check_control(struct raise_context *c);
bool raise_check_msr(struct raise_context *c);
bool raise_check_tables(struct raise_context *c);
bool raise_check_segment(struct raise_context *c);
bool raise_check_far(struct raise_context *c);
bool raise_check_operands(struct raise_context *c);

/* A limit or page that `access` breaks. */
bool raise_check_access(struct raise_context *c, const struct instruction_access *access);

#endif
