/*
 * A vCPU's guest interrupt file: a part of one hart's IMSIC that interrupts the vCPU by itself
 * (RISC-V Advanced Interrupt Architecture 1.0, 3.5 and chapter 2), so the vCPU is bound to that
 * hart. While it runs there, MSIs reach it without the hypervisor; while it does not, a pending one
 * interrupts the hart, which wakes it. Also the AIA's CSRs that a guest can access.
 */
#ifndef VM_IRQ_FILE_H
#define VM_IRQ_FILE_H

#include "vm/sched.h"

enum { FILES_MAX = 64 }; /* of a hart, 0 being none: bits in hgeie */

struct irq_file {
    unsigned number; /* hstatus.VGEIN; 0: the vCPU has none */
    unsigned hart;   /* index of the hart */
    struct task *task;
    bool stale;      /* it still has interrupts from before this boot */
    bool pending;    /* an interrupt waits: while the vCPU is saved. An atomic */
    uint64_t select; /* vsiselect while it is saved */
};

/* Takes one of that hart's for the task; false: none is left. */
bool irq_file_take(struct irq_file *file, unsigned hart, struct task *task) MUST_CHECK;
void irq_file_give_back(struct irq_file *file);
/* The page to which MSIs are written. */
hpa_t irq_file_page(const struct irq_file *file);
void irq_file_send(const struct irq_file *file, unsigned msi);

/* On its hart, before the vCPU runs and after it has: `hstatus` is the vCPU's. */
void irq_file_load(struct irq_file *file, uint64_t hstatus);
void irq_file_save(struct irq_file *file);
/* The interrupt of files whose vCPUs do not run on this hart. */
void irq_file_interrupts(void);

#endif
