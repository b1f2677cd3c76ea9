/* Where the kernel itself lies (symbols of boot/kernel.ld), and how its addresses relate to
 * physical ones: all memory it uses is visible at KERNEL_BASE + physical address. */
#ifndef KERNEL_MEMORY_IMAGE_H
#define KERNEL_MEMORY_IMAGE_H

#include <stdint.h>

#define KERNEL_BASE 0x80000000u
#define PAGE_SIZE   4096u

extern char image_begin[], text_begin[], rodata_begin[], data_begin[], image_end[];

static inline uint32_t image_physical(const void *address)
{
    return (uint32_t)(uintptr_t)address - KERNEL_BASE;
}

static inline void *image_virtual(uint32_t physical)
{
    return (void *)(uintptr_t)(physical + KERNEL_BASE);
}

#endif
