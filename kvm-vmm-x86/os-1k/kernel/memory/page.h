/* Physical memory: where the kernel itself lies in it (symbols of boot/kernel.ld), and the rest, by
 * pages. All that the kernel uses is visible to it at KERNEL_BASE + physical address. */
#ifndef KERNEL_MEMORY_PAGE_H
#define KERNEL_MEMORY_PAGE_H

#include <stdint.h>

#define KERNEL_BASE 0x80000000u
#define PAGE_SIZE   4096u

extern char image_begin[], text_begin[], rodata_begin[], data_begin[], image_end[];
extern char stack_gap[], kernel_stack[], kernel_stack_top[];

static inline uint32_t page_physical(const void *address)
{
    return (uint32_t)(uintptr_t)address - KERNEL_BASE;
}

static inline void *page_virtual(uint32_t physical)
{
    return (void *)(uintptr_t)(physical + KERNEL_BASE);
}

/* Takes over the memory from the end of the image up to physical address `end`. */
void page_init(uint32_t end);

/* The end of the memory that is used: that of the machine, or one gigabyte. */
uint32_t page_end(void);

/* Returns a page full of zeros, or NULL if there is none left. */
void *page_alloc(void) __attribute__((warn_unused_result));

/* Gives back a page of page_alloc. */
void page_free(void *page);

uint32_t page_count_total(void);
uint32_t page_count_free(void);

#endif
