/*
 * A guest's interrupt controller: a PLIC with one context per vCPU (RISC-V Platform-Level Interrupt
 * Controller Specification 1.0.0). Level-triggered sources; a source that is claimed waits for its
 * completion before it can be pending again. Knows nothing of vCPUs: `notify` hears each change of
 * a context's line.
 */
#ifndef DEV_PLIC_H
#define DEV_PLIC_H

#include "dev/device.h"

enum { PLIC_SOURCES = 64, PLIC_CONTEXTS = VM_VCPUS_MAX, PLIC_PRIORITY_MAX = 7 };
#define PLIC_SIZE 0x4000000ul

/* What a driver can have changed: plain data, which is what is saved of it. */
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
/* Puts a saved state in place, and makes what does not fit fit. Lines are as the devices hold them.
 */
void plic_load(struct plic *plic, const struct plic_state *state);
/* A device's line; `plic` is a struct plic (the shape of irq_line.set). */
void plic_set_source(void *plic, unsigned source, bool level);

#endif
