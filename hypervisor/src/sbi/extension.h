/* What the SBI extensions share: the type of a call, results, hart masks, counters. */
#ifndef SBI_EXTENSION_H
#define SBI_EXTENSION_H

#include "cpu/firmware.h"
#include "vm/vcpu.h"

/* A call's arguments a0 to a5, those of 32 bits cut to them. pc is already behind the ecall. */
typedef struct sbi_result sbi_handler(struct vcpu *v, uint64_t function, const uint64_t a[6]);

sbi_handler sbi_ipi, sbi_rfence, sbi_hsm, sbi_susp, sbi_dbcn, sbi_pmu, sbi_sse, sbi_fwft;
/* Legacy calls return one value; they may inject a fault instead, with pc back on the ecall. */
sbi_handler sbi_legacy;

/* The vCPUs that a hart mask names, as a mask of their indices; false where one does not exist
 * (SBI 3.1). */
bool sbi_hart_mask(const struct vcpu *v, uint64_t mask, uint64_t base, uint64_t *vcpus);

/* The work behind IPI and RFENCE, shared with the legacy calls. */
void sbi_send_ipis(struct vcpu *v, uint64_t vcpus);
void sbi_fence_i(struct vcpu *v, uint64_t vcpus);
void sbi_fence_vma(struct vcpu *v, uint64_t vcpus, uint64_t start, uint64_t size);

/* pmu.c: counts a firmware event (SBI 11.3.4). */
enum sbi_event {
    EVENT_ACCESS_LOAD = 2,
    EVENT_ACCESS_STORE = 3,
    EVENT_ILLEGAL = 4,
    EVENT_SET_TIMER = 5,
    EVENT_IPI_SENT = 6,
    EVENT_IPI_RECEIVED = 7,
    EVENT_FENCE_I_SENT = 8,
    EVENT_FENCE_I_RECEIVED = 9,
    EVENT_SFENCE_SENT = 10,
    EVENT_SFENCE_RECEIVED = 11,
    EVENT_SFENCE_ASID_SENT = 12,
    EVENT_SFENCE_ASID_RECEIVED = 13
};
void sbi_count(struct vcpu *v, enum sbi_event event);

#endif
