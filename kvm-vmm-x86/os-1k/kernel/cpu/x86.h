/* One function for each instruction that C has no words for. Intel SDM volume 2. */
#ifndef KERNEL_CPU_X86_H
#define KERNEL_CPU_X86_H

#include <stdint.h>

#define CR0_MP        (1u << 1)
#define CR0_EM        (1u << 2)
#define CR0_TS        (1u << 3)
#define CR0_WP        (1u << 16)
#define CR4_PAE       (1u << 5)
#define MSR_EFER      0xc0000080u
#define EFER_NXE      (1u << 11)
#define EFLAGS_CF     (1u << 0)
#define EFLAGS_ALWAYS (1u << 1)
#define EFLAGS_IF     (1u << 9)

/* x86_read_crN and x86_write_crN. CR2 is the address that the last page fault was about. */
#define X86_CONTROL_REGISTER(name)                                                                 \
    static inline uint32_t x86_read_##name(void)                                                   \
    {                                                                                              \
        uint32_t value;                                                                            \
        __asm__ volatile("movl %%" #name ", %0" : "=r"(value) : : "memory");                       \
        return value;                                                                              \
    }                                                                                              \
    static inline void x86_write_##name(uint32_t value)                                            \
    {                                                                                              \
        __asm__ volatile("movl %0, %%" #name : : "r"(value) : "memory");                           \
    }
X86_CONTROL_REGISTER(cr0)
X86_CONTROL_REGISTER(cr2)
X86_CONTROL_REGISTER(cr3)
X86_CONTROL_REGISTER(cr4)

static inline void x86_out8(uint16_t port, uint8_t value)
{
    __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static inline void x86_out16(uint16_t port, uint16_t value)
{
    __asm__ volatile("outw %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static inline uint8_t x86_in8(uint16_t port)
{
    uint8_t value;

    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port) : "memory");
    return value;
}

/* Forgets the cached translation of one page. */
static inline void x86_invalidate_page(uint32_t address)
{
    __asm__ volatile("invlpg (%0)" : : "r"(address) : "memory");
}

static inline void x86_write_msr(uint32_t msr, uint64_t value)
{
    __asm__ volatile("wrmsr" : : "c"(msr), "A"(value) : "memory");
}

/* Returns EDX of a CPUID leaf, 0 if the processor does not have the leaf. */
static inline uint32_t x86_cpuid_edx(uint32_t leaf)
{
    uint32_t a = leaf & 0x80000000u, b, c = 0, d;

    __asm__("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    if (a < leaf)
        return 0;
    a = leaf;
    __asm__("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    return d;
}

/* Sleeps until an interrupt comes. STI takes effect one instruction late, so none slips between. */
static inline void x86_wait_for_interrupt(void)
{
    __asm__ volatile("sti; hlt; cli" : : : "memory");
}

static inline void __attribute__((noreturn)) x86_stop(void)
{
    for (;;)
        __asm__ volatile("cli; hlt" : : : "memory");
}

#endif
