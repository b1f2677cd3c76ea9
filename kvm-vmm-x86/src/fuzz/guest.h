/*
 * The fuzzed guest: it asks for an input, gets it in its buffer, and reports that it is done. Each
 * input begins at the snapshot that was taken when it first asked (abi/hypercall.h, HC_FUZZ_...).
 */
#ifndef FUZZ_GUEST_H
#define FUZZ_GUEST_H

#include "base/error.h"
#include "fuzz/blocks.h"
#include "kvmvmm/kvmvmm.h"

struct guest {
    struct kvmvmm *machine;
    struct kvm_regs regs; /* when it asked */
    uint64_t buffer;      /* linear */
    size_t room;
    struct blocks blocks;
    uint8_t *met; /* a byte for each block: executed */
    size_t met_count;
    bool every_run; /* what was met is watched again in the next run */
    size_t *back;   /* then: those of this run */
    size_t back_count;
    uint64_t timeout; /* nanoseconds of a run */
};

enum verdict_of_run { RUN_DONE, RUN_CRASHED, RUN_HUNG };

struct run_result {
    enum verdict_of_run verdict;
    size_t new_blocks; /* met for the first time, or of this run */
    uint64_t exits;
    char text[400]; /* of a crash */
};

/* Boots it until it asks for an input: `limit` nanoseconds at most. */
int guest_boot(struct guest *guest, const struct kvmvmm_config *config, uint64_t limit,
               struct mutate *values, struct error *error) MUST_CHECK;
void guest_release(struct guest *guest);

/* One run with that input, from the snapshot. -1: the machine failed. */
int guest_run(struct guest *guest, const uint8_t *input, size_t size, struct run_result *result,
              struct error *error) MUST_CHECK;

/* Runs that input again, and writes a report of its crash; "" if it does not crash. */
void guest_explain(struct guest *guest, const uint8_t *input, size_t size,
                   const struct run_result *result, char *text, size_t room);

#endif
