/*
 * Whether the flags after cmpxchg16b are flags: status 0, also where the processor does not have
 * that instruction; 1 if bits are set that no processor has (Intel's SDM, volume 1, figure 3-8).
 *
 * QEMU 7.2's TCG takes the flags that the instruction leaves alone from where they were at the last
 * entry of the translated block. After an IRET or a VMRUN that is the word which by then holds an
 * operand of the last arithmetic instruction. An interrupt that arrives next saves it as RFLAGS.
 * The instructions below are those of Linux 6.12's kmem_cache_alloc.
 */
#include <cpuid.h>
#include <stdint.h>
#include <stdio.h>

#define OPERAND   0x0493c8f0u /* as it was seen in a panic */
#define UNDEFINED 0xffc08028u

static uint32_t flags_after(uint64_t operand)
{
    static uint64_t memory[2] __attribute__((aligned(16)));
    uint64_t flags;

    /* POPF, as IRET does, leaves the flags in one word; the jump begins a block. */
    __asm__ volatile("pushf\n"
                     "popf\n"
                     "jmp 1f\n"
                     "1: mov $0, %%eax\n"
                     "mov $0, %%edx\n"
                     "mov $0, %%ecx\n"
                     "add %[operand], %%rax\n"
                     "xor (%[memory]), %%rbx\n"
                     "cmpxchg16b (%[memory])\n"
                     "pushf\n"
                     "pop %[flags]\n"
                     : [flags] "=r"(flags)
                     : [memory] "S"(memory), [operand] "D"(operand)
                     : "rax", "rbx", "rcx", "rdx", "memory", "cc");
    return (uint32_t)flags;
}

int main(void)
{
    uint32_t eax, ebx, ecx, edx, flags;

    if (__get_cpuid(1, &eax, &ebx, &ecx, &edx) == 0 || (ecx & bit_CMPXCHG16B) == 0) {
        puts("no cmpxchg16b");
        return 0;
    }
    flags = flags_after(OPERAND);
    printf("flags after cmpxchg16b: %#x\n", flags);
    return (flags & UNDEFINED) != 0;
}
