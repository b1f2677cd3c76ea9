/*
 * One-instruction functions: the H extension's fences and guest accesses, written as encodings for
 * assemblers that do not know them (Privileged Architecture 15.3 and 15.4), and a few other
 * instructions without a C equivalent.
 */
#ifndef CPU_HYP_H
#define CPU_HYP_H

#include <stdbool.h>
#include <stdint.h>

#include "cpu/csr.h"

/* Forgets all G-stage translations of this hart. */
static inline void hyp_fence_gvma(void)
{
    __asm__ volatile(".insn r 0x73, 0, 0x31, x0, x0, x0" : : : "memory");
}

/* Forgets all VS-stage translations of the VMID in hgatp on this hart. */
static inline void hyp_fence_vvma(void)
{
    __asm__ volatile(".insn r 0x73, 0, 0x11, x0, x0, x0" : : : "memory");
}

static inline void hyp_fence_i(void)
{
    __asm__ volatile("fence.i" : : : "memory");
}

/* Orders earlier stores to memory before a later store to a device register; no C fence does
 * that. */
static inline void hyp_fence_device(void)
{
    __asm__ volatile("fence w, o" : : : "memory");
}

static inline void hyp_wait_for_interrupt(void)
{
    __asm__ volatile("wfi" : : : "memory");
}

static inline uint64_t hyp_time(void)
{
    return csr_read(CSR_TIME);
}

/* Fetches 16 bits of guest code through both stages, as the mode in hstatus.SPVP (hlvx.hu). False:
 * it trapped, and cpu_self()->fault describes the trap. */
static inline bool hyp_fetch16(uint64_t gva, uint16_t *out)
{
    uint64_t bad, value = 0;

    __asm__ volatile(GUARDED(".insn r 0x73, 4, 0x32, %[v], %[a], x3")
                     : [bad] "=&r"(bad), [v] "+&r"(value)
                     : [a] "r"(gva)
                     : "memory");
    *out = (uint16_t)value;
    return bad == 0;
}

/* Loads 64 bits of guest data through both stages (hlv.d). */
static inline bool hyp_load64(uint64_t gva, uint64_t *out)
{
    uint64_t bad, value = 0;

    __asm__ volatile(GUARDED(".insn r 0x73, 4, 0x36, %[v], %[a], x0")
                     : [bad] "=&r"(bad), [v] "+&r"(value)
                     : [a] "r"(gva)
                     : "memory");
    *out = value;
    return bad == 0;
}

/* Stores 64 bits through both stages (hsv.d). */
static inline bool hyp_store64(uint64_t gva, uint64_t value)
{
    uint64_t bad;

    __asm__ volatile(GUARDED(".insn r 0x73, 4, 0x37, x0, %[a], %[v]")
                     : [bad] "=&r"(bad)
                     : [a] "r"(gva), [v] "r"(value)
                     : "memory");
    return bad == 0;
}

#endif
