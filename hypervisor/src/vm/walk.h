/*
 * Walks a guest's own page tables in software, as its hart would (Privileged Architecture, chapter
 * 11: Sv39, Sv48, Sv57), and keeps each step: for reports, the monitor, and for telling whose fault
 * a failed fetch is. Bounded by the number of levels; every table is read through memory_read().
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

/* Of a vCPU that is loaded on this hart, or saved. */
void walk_guest(struct vcpu *v, gva_t gva, struct walk *walk);
/* Prints both stages, by one of the VM's tasks or with its lock held: the guest's walk of `gva`,
 * then the G stage's of what it yields. */
void walk_print(struct vcpu *v, gva_t gva);
/* Prints the G stage's walk alone. */
void walk_print_gpa(struct vm *vm, gpa_t gpa);

#endif
