/*
 * The processor, one instruction a function, for kernels of 32 and of 64 bits: Intel SDM volume 2;
 * control registers and flags: volume 3, section 2.5, and volume 1, section 3.4.3. Nothing here
 * decides anything. The constants are read by assembly too.
 */
#ifndef COMMON_X86_H
#define COMMON_X86_H

#define X86_FLAGS_CF (1 << 0)
#define X86_FLAGS_1  (1 << 1) /* always set */
#define X86_FLAGS_TF (1 << 8)
#define X86_FLAGS_IF (1 << 9)
#define X86_FLAGS_DF (1 << 10)
#define X86_FLAGS_NT (1 << 14)
#define X86_FLAGS_AC (1 << 18)

#define X86_CR0_PE         (1 << 0)
#define X86_CR0_MP         (1 << 1)
#define X86_CR0_EM         (1 << 2)
#define X86_CR0_TS         (1 << 3)
#define X86_CR0_NE         (1 << 5)
#define X86_CR0_WP         (1 << 16)
#define X86_CR0_PG         0x80000000
#define X86_CR4_PSE        (1 << 4)
#define X86_CR4_PAE        (1 << 5)
#define X86_CR4_MCE        (1 << 6)
#define X86_CR4_PGE        (1 << 7)
#define X86_CR4_OSFXSR     (1 << 9)
#define X86_CR4_OSXMMEXCPT (1 << 10)
#define X86_CR4_UMIP       (1 << 11)
#define X86_CR4_SMEP       (1 << 20)
#define X86_CR4_SMAP       (1 << 21)

#define X86_MSR_APIC_BASE 0x1b
#define X86_MSR_EFER      0xc0000080
#define X86_MSR_STAR      0xc0000081
#define X86_MSR_LSTAR     0xc0000082
#define X86_MSR_SFMASK    0xc0000084
#define X86_MSR_GS_BASE   0xc0000101
#define X86_EFER_SCE      (1 << 0)
#define X86_EFER_LME      (1 << 8)
#define X86_EFER_NXE      (1 << 11)

#ifndef __ASSEMBLY__

#include <stdint.h>

static inline uint8_t x86_in8(uint16_t port)
{
    uint8_t value;

    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port) : "memory");
    return value;
}

static inline void x86_out8(uint16_t port, uint8_t value)
{
    __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static inline void x86_out16(uint16_t port, uint16_t value)
{
    __asm__ volatile("outw %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static inline uint32_t x86_in32(uint16_t port)
{
    uint32_t value;

    __asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port) : "memory");
    return value;
}

static inline void x86_out32(uint16_t port, uint32_t value)
{
    __asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static inline void x86_sti(void)
{
    __asm__ volatile("sti" : : : "memory");
}

static inline void x86_cli(void)
{
    __asm__ volatile("cli" : : : "memory");
}

/* STI enables interrupts only after the next instruction: none can come between the two. */
static inline void x86_sti_hlt(void)
{
    __asm__ volatile("sti; hlt" : : : "memory");
}

static inline void x86_hlt(void)
{
    __asm__ volatile("hlt" : : : "memory");
}

/* Stops this processor for good; only an NMI or an SMI is still handled. */
static inline void __attribute__((noreturn)) x86_stop(void)
{
    for (;;) {
        x86_cli();
        x86_hlt();
    }
}

static inline void x86_pause(void)
{
    __asm__ volatile("pause" : : : "memory");
}

static inline uintptr_t x86_read_flags(void)
{
    uintptr_t flags;

    __asm__ volatile("pushf; pop %0" : "=r"(flags) : : "memory");
    return flags;
}

/* x86_read_crN and x86_write_crN. CR2 holds the address whose access caused the last page fault. */
#define X86_CONTROL_REGISTER(name)                                                                 \
    static inline uintptr_t x86_read_##name(void)                                                  \
    {                                                                                              \
        uintptr_t value;                                                                           \
        __asm__ volatile("mov %%" #name ", %0" : "=r"(value) : : "memory");                        \
        return value;                                                                              \
    }                                                                                              \
    static inline void x86_write_##name(uintptr_t value)                                           \
    {                                                                                              \
        __asm__ volatile("mov %0, %%" #name : : "r"(value) : "memory");                            \
    }
X86_CONTROL_REGISTER(cr0)
X86_CONTROL_REGISTER(cr2)
X86_CONTROL_REGISTER(cr3)
X86_CONTROL_REGISTER(cr4)

/* Forgets the cached translation of one page. */
static inline void x86_invlpg(uintptr_t address)
{
    __asm__ volatile("invlpg (%0)" : : "r"(address) : "memory");
}

static inline uint64_t x86_rdmsr(uint32_t msr)
{
    uint32_t low, high;

    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr) : "memory");
    return (uint64_t)high << 32 | low;
}

static inline void x86_wrmsr(uint32_t msr, uint64_t value)
{
    __asm__ volatile("wrmsr"
                     :
                     : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32))
                     : "memory");
}

static inline uint64_t x86_rdtsc(void)
{
    uint32_t low, high;

    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high) : : "memory");
    return (uint64_t)high << 32 | low;
}

struct x86_cpuid {
    uint32_t a, b, c, d;
};

static inline struct x86_cpuid x86_cpuid(uint32_t leaf, uint32_t subleaf)
{
    struct x86_cpuid r;

    __asm__ volatile("cpuid"
                     : "=a"(r.a), "=b"(r.b), "=c"(r.c), "=d"(r.d)
                     : "a"(leaf), "c"(subleaf));
    return r;
}

/* What LGDT and LIDT read. */
struct x86_table_register {
    uint16_t limit;
    uintptr_t base;
} __attribute__((packed));

static inline void x86_lidt(const struct x86_table_register *table)
{
    __asm__ volatile("lidt %0" : : "m"(*table));
}

/* The descriptor of an available task state segment: volume 3, figure 8-3. In 64-bit mode the rest
 * of the base follows in another eight bytes. */
static inline uint64_t x86_task_segment(uintptr_t base, uint16_t limit)
{
    return limit | (uint64_t)(base & 0xffffff) << 16 | UINT64_C(0x89) << 40 |
           (uint64_t)(base >> 24 & 0xff) << 56;
}

static inline void x86_lldt(uint16_t selector)
{
    __asm__ volatile("lldt %0" : : "r"(selector) : "memory");
}

static inline void x86_ltr(uint16_t selector)
{
    __asm__ volatile("ltr %0" : : "r"(selector) : "memory");
}

#endif
#endif
