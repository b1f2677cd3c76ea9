/*
 * Walks a guest's own page tables in software, as its hart would (Privileged Architecture, chapter
 * 11: Sv39, Sv48, Sv57), and keeps each step: for reports, the monitor, and to find which stage
 * made a fetch fail. Bounded by the number of levels; every table is read through memory_read().
 */
#ifndef VM_WALK_H
#define VM_WALK_H

#include "vm/vcpu.h"

enum { WALK_LEVELS_MAX = 5 };

struct walk_step {
    unsigned level;
    gpa_t at;
    uint64_t entry;
};

struct walk {
    bool good;       /* gpa is the translation */
    bool bare;       /* the guest does not translate */
    const char *why; /* where it is not good */
    gpa_t gpa;
    unsigned steps;
    struct walk_step step[WALK_LEVELS_MAX];
};

/* The vCPU must be loaded on this hart, or saved. */
void walk_guest(struct vcpu *v, gva_t gva, struct walk *walk);
/* Prints both stages: the VS-stage walk of `gva`, then the G-stage walk of the result. Called by
 * one of the VM's tasks, or with its lock held. */
void walk_print(struct vcpu *v, gva_t gva);
/* Prints only the G-stage walk. */
void walk_print_gpa(struct vm *vm, gpa_t gpa);

#endif
