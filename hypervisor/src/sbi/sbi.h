/*
 * The Supervisor Binary Interface as the hypervisor offers it to guests (RISC-V SBI 2.0). One file
 * and one function an extension, all in the table of sbi.c; what is not there is NOT_SUPPORTED.
 */
#ifndef SBI_SBI_H
#define SBI_SBI_H

#include "cpu/firmware.h"
#include "sbi/numbers.h"
#include "vm/vcpu.h"

/* A call's arguments a0 to a5. v->pc is already behind the ecall. */
typedef struct sbi_result sbi_handler(struct vcpu *v, uint64_t function, const uint64_t a[6]);

/* Serves the ecall that v trapped with. */
void sbi_call(struct vcpu *v);
bool sbi_offers(uint64_t extension);
const char *sbi_extension_name(uint64_t extension);

sbi_handler sbi_base, sbi_time, sbi_ipi, sbi_rfence, sbi_hsm, sbi_srst, sbi_dbcn, sbi_susp, sbi_pmu;
/* Legacy calls return one value; they may inject a fault instead, with v->pc back on the ecall. */
sbi_handler sbi_legacy;

static inline struct sbi_result sbi_error(int64_t error)
{
    return (struct sbi_result){error, 0};
}

static inline struct sbi_result sbi_value(uint64_t value)
{
    return (struct sbi_result){SBI_SUCCESS, value};
}

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
