/* What all parts of the kernel share: where it lies in memory (symbols of boot/kernel.ld), and what
 * it tells about itself. All memory is visible to it at KERNEL_BASE + physical address. */
#ifndef KERNEL_KERNEL_H
#define KERNEL_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "include/system.h"

#define KERNEL_BASE 0x80000000u
#define PAGE_SIZE   4096u

extern char image_begin[], text_begin[], rodata_begin[], data_begin[];
extern char stack_gap[], kernel_stack[], kernel_stack_top[], image_end[];

/* What the system call SYSTEMINFO gives away; every part keeps its own fields true. */
extern struct system_info kernel_info;

static inline uint32_t kernel_physical(const void *address)
{
    return (uint32_t)(uintptr_t)address - KERNEL_BASE;
}

static inline void *kernel_virtual(uint32_t physical)
{
    return (void *)(uintptr_t)(physical + KERNEL_BASE);
}

#endif
