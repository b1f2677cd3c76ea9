/* One function for each instruction that C has no words for. Intel SDM volume 2. */
#ifndef KERNEL_CPU_X86_H
#define KERNEL_CPU_X86_H

#include <stdint.h>

#define CR0_MP        (1u << 1)
#define CR0_EM        (1u << 2)
#define CR0_WP        (1u << 16)
#define CR0_PG        (1u << 31)
#define CR4_PAE       (1u << 5)
#define MSR_EFER      0xc0000080u
#define EFER_NXE      (1u << 11)
#define EFLAGS_CF     (1u << 0)
#define EFLAGS_ALWAYS (1u << 1)
#define EFLAGS_IF     (1u << 9)

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

static inline uint32_t x86_read_cr0(void)
{
    uint32_t value;

    __asm__ volatile("movl %%cr0, %0" : "=r"(value));
    return value;
}

static inline void x86_write_cr0(uint32_t value)
{
    __asm__ volatile("movl %0, %%cr0" : : "r"(value) : "memory");
}

/* The address that the last page fault was about. */
static inline uint32_t x86_read_cr2(void)
{
    uint32_t value;

    __asm__ volatile("movl %%cr2, %0" : "=r"(value));
    return value;
}

static inline uint32_t x86_read_cr3(void)
{
    uint32_t value;

    __asm__ volatile("movl %%cr3, %0" : "=r"(value));
    return value;
}

static inline void x86_write_cr3(uint32_t value)
{
    __asm__ volatile("movl %0, %%cr3" : : "r"(value) : "memory");
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
