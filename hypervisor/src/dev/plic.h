/*
 * A guest's interrupt controller: a PLIC with one context per vCPU (RISC-V Platform-Level Interrupt
 * Controller Specification 1.0.0). Level-triggered sources; a source that is claimed waits for its
 * completion before it can be pending again. It does not know vCPUs: it calls `notify` at each
 * change of a context's line.
 */
#ifndef DEV_PLIC_H
#define DEV_PLIC_H

#include "dev/device.h"

enum { PLIC_SOURCES = 64, PLIC_CONTEXTS = VM_VCPUS_MAX, PLIC_PRIORITY_MAX = 7 };
#define PLIC_SIZE 0x4000000ul

/* All state that a driver can change: plain data, which is saved. */
struct plic_state {
    uint64_t claimed; /* given to some context, not completed */
    uint64_t enable[PLIC_CONTEXTS];
    uint32_t threshold[PLIC_CONTEXTS];
    uint32_t priority[PLIC_SOURCES];
};

struct plic {
    struct plic_state state;
    uint64_t level; /* lines as the devices hold them, a bit a source */
    uint64_t pending;
    bool line[PLIC_CONTEXTS];
    unsigned contexts;
    void (*notify)(void *owner, unsigned context, bool level);
    void *owner;
};

extern const struct device_ops plic_ops; /* state: struct plic */

void plic_reset(struct plic *plic);
/* Loads a saved state; impossible values are corrected. The levels of the lines come from the
 * devices. */
void plic_load(struct plic *plic, const struct plic_state *state);
/* Sets a device's line; `plic` is a struct plic (the type of irq_line.set). */
void plic_set_source(void *plic, unsigned source, bool level);

#endif
