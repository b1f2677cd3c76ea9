/*
 * The extensions that guests are offered. One table names them and the enable bits that each needs.
 * An extension that the machine lacks, or that cannot be enabled, is not in the guest's device tree
 * either.
 */
#ifndef CPU_FEATURE_H
#define CPU_FEATURE_H

#include "lib/types.h"

struct features {
    uint64_t henvcfg;   /* the value for guests: read back after writing */
    uint64_t hstateen0; /* likewise; 0 where there is no such CSR */
    bool has_henvcfg, has_hstateen;
    bool sstc;      /* guests program their own timer */
    bool adue;      /* a guest may have A and D bits set by its hart: henvcfg.ADUE. main() asks for
                     * more: see mon/probe.h */
    bool host_sstc; /* the hypervisor may use stimecmp itself */
    bool aia;       /* guests can reach the CSRs of an AIA */
    unsigned guest_files; /* guest interrupt files of a hart: GEILEN */
    bool vector;
    uint64_t vlenb; /* bytes in a vector register */
    unsigned vmid_bits;
    bool sv48x4;         /* hgatp offers four levels */
    unsigned mmu_levels; /* of the guest's own paging: 3, 4 or 5 */
    char isa[512];       /* the guest's riscv,isa */
};

extern struct features features;

/* Probes this hart, which can do what `isa` says, and fills `features`; needs the host's trap
 * vector. The string must outlive it. */
void feature_probe(const char *isa);
/* Programs this hart's enable bits. */
void feature_apply(void);
const char *feature_mmu_type(void);

#endif
