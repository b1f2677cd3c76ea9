/*
 * Skip this when you read the kernel for the first time: nothing else needs it to be understood.
 * It holds two things that are odd about the 386: tasks of the hardware, which give a double fault
 * and an NMI a stack of their own, and the two formats of page tables.
 */
#ifndef KERNEL_APPENDIX_H
#define KERNEL_APPENDIX_H

#include "kernel/kernel.h"

/* What differs between the two formats of page tables, for the one walker in memory/space.c. */
struct page_format {
    unsigned wide;       /* 1 if entries have a high word */
    unsigned index_bits; /* of an address, for each level */
    unsigned top_shift;  /* where the index of the top level lies in an address */
};

/* In the high word of an entry, where there is one. */
#define PAGE_NO_EXECUTE (1u << 31)

/* PAE's top table has only 4 entries, in which the writable and user bits are reserved. */
#define PAE_TOP_SHIFT 30

/* Returns PAE's format if the processor has PAE and NX, and enables NX; else the older format. */
const struct page_format *appendix_choose_format(void);

/* Replaces the loader's page tables, which have two levels, by those of `space`, which have the
 * chosen format. Paging stays on. */
void appendix_leave_loader_tables(uint32_t space);

/* Gives double faults and NMIs a task of their own. `space` is for these tasks to run in. */
void appendix_create_tasks(uint32_t space);

#endif
