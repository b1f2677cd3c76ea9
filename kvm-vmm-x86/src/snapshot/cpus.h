/* The registers of a snapshot's vCPUs, from the records of its `state`. Pure; the input is
 * untrusted. */
#ifndef SNAPSHOT_CPUS_H
#define SNAPSHOT_CPUS_H

#include "watch/explain/interrupts.h"
#include "watch/gdb/registers.h"

struct snapshot_cpu {
    struct gdb_registers registers; /* without `memory` */
    struct interrupts interrupts;
    uint32_t mp_state; /* KVM_MP_STATE_* */
};

/* `cpus` are zero. -1: a record is invalid, or a vCPU's registers are missing. */
int snapshot_cpus_read(struct snapshot_cpu *cpus, unsigned count, const uint8_t *state, size_t size,
                       struct error *error) MUST_CHECK;

/* The first vCPU whose page tables map all of a Linux kernel: with page table isolation those of a
 * process do not. If all run processes, the first. */
const struct snapshot *snapshot_cpus_in_kernel(const struct snapshot_cpu *cpus, unsigned count);

/* ", halted" and the like; "" for one that runs. */
const char *snapshot_cpu_state(const struct snapshot_cpu *cpu);

#endif
