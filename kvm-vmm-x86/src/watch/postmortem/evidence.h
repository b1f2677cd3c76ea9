/* The state of a guest that has ended: registers, memory, interrupt controllers, last exits, and
 * how they were obtained. */
#ifndef POSTMORTEM_EVIDENCE_H
#define POSTMORTEM_EVIDENCE_H

#include "vm/deck.h"
#include "watch/explain/interrupts.h"
#include "watch/explain/loop.h"
#include "watch/explain/page.h"
#include "watch/postmortem/replay.h"

struct evidence {
    struct vcpu *vcpu;
    bool crashed;  /* by what it did, not by what a device said */
    bool shutdown; /* a triple fault */
    bool reset;    /* by KVM at its end, as on AMD */
    bool at_fault; /* `snapshot` is the state before the instruction that ended it */
    struct snapshot snapshot;
    bool general_only; /* only its general registers are the guest's; the rest is that of a reset
                          CPU */
    struct interrupts interrupts;
    bool halted;
    struct loop loop; /* samples 0: not looked for */
    char how[240];
    struct vm double_vm; /* the second run's, if has_double */
    bool has_double;
    struct deck deck; /* its */
    struct replay replay;
};

/* In the worker's thread. */
void evidence_take(struct evidence *e, struct worker *worker, struct vm *vm,
                   const struct vm_end *end);
void evidence_release(struct evidence *e);

#endif
