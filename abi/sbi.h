/*
 * Extension and function ids, errors and constants of the RISC-V Supervisor Binary Interface 3.0:
 * the hypervisor is a client of the firmware's and the server of its guests.
 */
#ifndef ABI_SBI_H
#define ABI_SBI_H

#include <stdint.h>

#define SBI_SPEC_VERSION ((3ul << 24) | 0)
/* Ours, not one of the registered implementation ids (SBI 4.9). */
#define SBI_IMPLEMENTATION_ID      0x6d6b766dul /* "mkvm" */
#define SBI_IMPLEMENTATION_VERSION 1ul

enum sbi_error {
    SBI_SUCCESS = 0,
    SBI_FAILED = -1,
    SBI_NOT_SUPPORTED = -2,
    SBI_INVALID_PARAM = -3,
    SBI_DENIED = -4,
    SBI_INVALID_ADDRESS = -5,
    SBI_ALREADY_AVAILABLE = -6,
    SBI_ALREADY_STARTED = -7,
    SBI_ALREADY_STOPPED = -8,
    SBI_NO_SHMEM = -9,
    SBI_INVALID_STATE = -10,
    SBI_BAD_RANGE = -11,
    SBI_DENIED_LOCKED = -14
};

enum sbi_extension {
    SBI_LEGACY_SET_TIMER = 0,
    SBI_LEGACY_PUTCHAR = 1,
    SBI_LEGACY_GETCHAR = 2,
    SBI_LEGACY_CLEAR_IPI = 3,
    SBI_LEGACY_SEND_IPI = 4,
    SBI_LEGACY_FENCE_I = 5,
    SBI_LEGACY_SFENCE = 6,
    SBI_LEGACY_SFENCE_ASID = 7,
    SBI_LEGACY_SHUTDOWN = 8,
    SBI_BASE = 0x10,
    SBI_TIME = 0x54494d45,
    SBI_IPI = 0x735049,
    SBI_RFENCE = 0x52464e43,
    SBI_HSM = 0x48534d,
    SBI_SRST = 0x53525354,
    SBI_PMU = 0x504d55,
    SBI_DBCN = 0x4442434e,
    SBI_SUSP = 0x53555350,
    SBI_STA = 0x535441,
    SBI_SSE = 0x535345,
    SBI_FWFT = 0x46574654,
    SBI_DBTR = 0x44425452,
    SBI_OWN = 0x0a6b766d /* the firmware's own space (SBI 3): our implementation id's low 24 bits */
};

enum { BASE_SPEC, BASE_IMPL_ID, BASE_IMPL_VERSION, BASE_PROBE, BASE_VENDOR, BASE_ARCH, BASE_IMP };
enum {
    RFENCE_I,
    RFENCE_VMA,
    RFENCE_VMA_ASID,
    RFENCE_GVMA_VMID,
    RFENCE_GVMA,
    RFENCE_VVMA_ASID,
    RFENCE_VVMA
};
enum { HSM_START, HSM_STOP, HSM_STATUS, HSM_SUSPEND };
enum { HSM_STARTED, HSM_STOPPED, HSM_START_PENDING, HSM_STOP_PENDING, HSM_SUSPENDED };
enum { SRST_SHUTDOWN, SRST_COLD, SRST_WARM };
enum { SRST_NO_REASON, SRST_FAILURE };
enum { DBCN_WRITE, DBCN_READ, DBCN_WRITE_BYTE };
enum { PMU_COUNTERS, PMU_INFO, PMU_MATCH, PMU_START, PMU_STOP, PMU_FW_READ, PMU_FW_READ_HI };

enum {
    DBTR_NUMBER,
    DBTR_SET_SHMEM,
    DBTR_READ,
    DBTR_INSTALL,
    DBTR_UPDATE,
    DBTR_UNINSTALL,
    DBTR_ENABLE,
    DBTR_DISABLE
};
enum { STA_SET_SHMEM };
enum { OWN_CLONE };

enum {
    SSE_READ,
    SSE_WRITE,
    SSE_REGISTER,
    SSE_UNREGISTER,
    SSE_ENABLE,
    SSE_DISABLE,
    SSE_COMPLETE,
    SSE_INJECT,
    SSE_UNMASK,
    SSE_MASK
};
/* An event's attributes (SBI 17.4); the four last are what it interrupted. */
enum {
    SSE_STATUS,
    SSE_PRIORITY,
    SSE_CONFIG,
    SSE_PREFERRED_HART,
    SSE_ENTRY_PC,
    SSE_ENTRY_ARG,
    SSE_SEPC,
    SSE_FLAGS,
    SSE_A6,
    SSE_A7,
    SSE_ATTRIBUTES
};
/* Events (SBI 17.3). */
#define SSE_LOCAL_RAS         0x00000000ul
#define SSE_LOCAL_DOUBLE_TRAP 0x00000001ul
#define SSE_GLOBAL_RAS        0x00008000ul
#define SSE_LOCAL_PMU         0x00010000ul
#define SSE_LOCAL_LOW_RAS     0x00100000ul
#define SSE_GLOBAL_LOW_RAS    0x00108000ul
#define SSE_LOCAL_SOFTWARE    0xffff0000ul
#define SSE_GLOBAL_SOFTWARE   0xffff8000ul
#define SSE_PLATFORM          (1ul << 14) /* one of the platform's own */

/* In SSE_STATUS, beside the state: software may inject it. */
enum { SSE_INJECTABLE = 1 << 3 };

enum { FWFT_SET, FWFT_GET };
/* Features (SBI 18); what lies behind the last one is reserved, or a platform's own. */
enum { FWFT_AD_UPDATING = 4, FWFT_POINTER_MASKING = 5 };

/* Types of suspend (SBI 9.4 and 13.1): what lies between a default and the platform's own is
 * reserved. */
#define SBI_SUSPEND_RETENTIVE     0x00000000ul
#define SBI_SUSPEND_PLATFORM      0x10000000ul
#define SBI_SUSPEND_NON_RETENTIVE 0x80000000ul
#define SBI_ALL_HARTS             (~0ul) /* as hart mask base: every hart */

/* What a call answers, in a0 and a1. */
struct sbi_result {
    int64_t error;
    uint64_t value;
};

static inline struct sbi_result sbi_error(int64_t error)
{
    return (struct sbi_result){error, 0};
}

static inline struct sbi_result sbi_value(uint64_t value)
{
    return (struct sbi_result){SBI_SUCCESS, value};
}

#endif
