/*
 * The processor, one instruction a function: Intel SDM volume 2. Nothing here decides anything.
 * The longer pieces of assembly are in asm/: entry.S, vectors.S, switch.S.
 */
#ifndef HLEOS_ASM_H
#define HLEOS_ASM_H

#include <stdint.h>

enum {
    ASM_RFLAGS_IF = 1 << 9,
    ASM_CR0_MP = 1 << 1,
    ASM_CR0_EM = 1 << 2,
    ASM_CR0_TS = 1 << 3,
    ASM_CR0_NE = 1 << 5,
    ASM_CR0_WP = 1 << 16,
    ASM_CR4_MCE = 1 << 6,
    ASM_CR4_PGE = 1 << 7,
    ASM_CR4_OSFXSR = 1 << 9,
    ASM_CR4_OSXMMEXCPT = 1 << 10,
    ASM_EFER_NXE = 1 << 11,
};

enum asm_msr {
    ASM_MSR_APIC_BASE = 0x1b,
};
#define ASM_MSR_EFER    0xc0000080
#define ASM_MSR_GS_BASE 0xc0000101

static inline uint8_t asm_inb(uint16_t port)
{
    uint8_t value;

    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static inline void asm_outb(uint16_t port, uint8_t value)
{
    __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static inline uint32_t asm_inl(uint16_t port)
{
    uint32_t value;

    __asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static inline void asm_outl(uint16_t port, uint32_t value)
{
    __asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port));
}

static inline void asm_sti(void)
{
    __asm__ volatile("sti" : : : "memory");
}

static inline void asm_cli(void)
{
    __asm__ volatile("cli" : : : "memory");
}

/* STI holds interrupts off for one more instruction: none can slip in between the two. */
static inline void asm_sti_hlt(void)
{
    __asm__ volatile("sti; hlt" : : : "memory");
}

static inline void asm_hlt(void)
{
    __asm__ volatile("hlt" : : : "memory");
}

static inline void asm_pause(void)
{
    __asm__ volatile("pause" : : : "memory");
}

static inline uint64_t asm_read_flags(void)
{
    uint64_t flags;

    __asm__ volatile("pushfq; popq %0" : "=r"(flags) : : "memory");
    return flags;
}

static inline uint64_t asm_read_cr0(void)
{
    uint64_t value;

    __asm__ volatile("movq %%cr0, %0" : "=r"(value));
    return value;
}

static inline void asm_write_cr0(uint64_t value)
{
    __asm__ volatile("movq %0, %%cr0" : : "r"(value) : "memory");
}

static inline uint64_t asm_read_cr2(void)
{
    uint64_t value;

    __asm__ volatile("movq %%cr2, %0" : "=r"(value));
    return value;
}

static inline uint64_t asm_read_cr3(void)
{
    uint64_t value;

    __asm__ volatile("movq %%cr3, %0" : "=r"(value));
    return value;
}

static inline void asm_write_cr3(uint64_t value)
{
    __asm__ volatile("movq %0, %%cr3" : : "r"(value) : "memory");
}

static inline uint64_t asm_read_cr4(void)
{
    uint64_t value;

    __asm__ volatile("movq %%cr4, %0" : "=r"(value));
    return value;
}

static inline void asm_write_cr4(uint64_t value)
{
    __asm__ volatile("movq %0, %%cr4" : : "r"(value) : "memory");
}

static inline void asm_invlpg(uintptr_t address)
{
    __asm__ volatile("invlpg (%0)" : : "r"(address) : "memory");
}

static inline uint64_t asm_rdmsr(uint32_t msr)
{
    uint32_t low, high;

    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
    return (uint64_t)high << 32 | low;
}

static inline void asm_wrmsr(uint32_t msr, uint64_t value)
{
    __asm__ volatile("wrmsr" : : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)));
}

static inline uint64_t asm_rdtsc(void)
{
    uint32_t low, high;

    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high) : : "memory");
    return (uint64_t)high << 32 | low;
}

struct asm_cpuid {
    uint32_t a, b, c, d;
};

static inline struct asm_cpuid asm_cpuid(uint32_t leaf, uint32_t subleaf)
{
    struct asm_cpuid r;

    __asm__ volatile("cpuid"
                     : "=a"(r.a), "=b"(r.b), "=c"(r.c), "=d"(r.d)
                     : "a"(leaf), "c"(subleaf));
    return r;
}

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

struct asm_table_register {
    uint16_t limit;
    uint64_t base;
} __attribute__((packed));

static inline void asm_lidt(const struct asm_table_register *table)
{
    __asm__ volatile("lidt %0" : : "m"(*table));
}

static inline void asm_ltr(uint16_t selector)
{
    __asm__ volatile("ltr %0" : : "r"(selector));
}

/* The caller's frame: code is compiled with frame pointers for the backtrace. */
static inline const uintptr_t *asm_frame(void)
{
    const uintptr_t *frame;

    __asm__ volatile("movq %%rbp, %0" : "=r"(frame));
    return frame;
}

#endif
