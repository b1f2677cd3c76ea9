/*
 * Instructions that only a 64-bit kernel with floating point needs, one in each function; all
 * others are in common/x86.h. The longer pieces of assembly are in asm/: entry.S, vectors.S,
 * switch.S.
 */
#ifndef HLEOS_ASM_H
#define HLEOS_ASM_H

#include "common/x86.h"

/* x87, MMX and SSE state, 512 bytes: SDM volume 1, 10.5. The area is 16-byte aligned. */
static inline void asm_fxsave(void *area)
{
    __asm__ volatile("fxsave64 (%0)" : : "r"(area) : "memory");
}

static inline void asm_fxrstor(const void *area)
{
    __asm__ volatile("fxrstor64 (%0)" : : "r"(area) : "memory");
}

static inline void asm_fninit(void)
{
    __asm__ volatile("fninit");
}

/* a * b / c, with all 128 bits between; the quotient must fit in 64. */
static inline uint64_t asm_scale(uint64_t a, uint64_t b, uint64_t c)
{
    uint64_t high;

    __asm__("mulq %2" : "+a"(a), "=d"(high) : "r"(b) : "cc");
    __asm__("divq %2" : "+a"(a), "+d"(high) : "r"(c) : "cc");
    return a;
}

/* Null selectors in FS and GS. Their bases are undefined then: they are set by MSR. */
static inline void asm_clear_fs_gs(void)
{
    __asm__ volatile("movw %w0, %%fs; movw %w0, %%gs" : : "r"(0) : "memory");
}

/* Disable interrupts and return the flags, and restore them. */
static inline uint64_t asm_interrupts_off(void)
{
    uint64_t flags = x86_read_flags();

    x86_cli();
    return flags;
}

static inline void asm_interrupts_restore(uint64_t flags)
{
    if (flags & X86_FLAGS_IF)
        x86_sti();
}

/* The caller's frame: code is compiled with frame pointers for the backtrace. */
static inline const uintptr_t *asm_frame(void)
{
    const uintptr_t *frame;

    __asm__ volatile("movq %%rbp, %0" : "=r"(frame));
    return frame;
}

#endif
