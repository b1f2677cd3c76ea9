/*
 * The diagnosis: what the instruction at RIP did, which exception that raised, why it could not be
 * delivered, and what followed, up to the triple fault. Pure; the text is one line.
 */
#ifndef EXPLAIN_DIAGNOSE_H
#define EXPLAIN_DIAGNOSE_H

#include "watch/explain/fault/deliver.h"
#include "watch/explain/fault/raise.h"
#include "watch/explain/symbols.h"

enum { CHAIN_MAX = 6, DIAGNOSIS_LINE = 700 };

struct diagnosis {
    struct raise raise;
    struct exception chain[CHAIN_MAX]; /* as raised, one after the other */
    struct delivery deliveries[CHAIN_MAX];
    unsigned count;
    bool shutdown;  /* the last of them shuts the CPU down */
    bool recursion; /* the handler's first instruction is the one that faults */
    char line[DIAGNOSIS_LINE];
};

/* What is known beside registers and memory; -1: nothing. */
struct diagnose_hint {
    int interrupt; /* the vector of a hardware interrupt that was just taken */
    int handling;  /* RIP is the start of the handler of this vector, which was just entered */
};

struct diagnosis diagnose_fault(const struct snapshot *s, struct diagnose_hint hint);

#endif
