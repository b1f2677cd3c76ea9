/* The page allocator: hands out the machine's memory 4 KB at a time. */
#ifndef KERNEL_MEMORY_PAGE_H
#define KERNEL_MEMORY_PAGE_H

#include <stdint.h>

/* Takes over all memory that boot_info names. */
void page_init(void);

/* Returns a page full of zeros, or NULL if there is none left. */
void *page_alloc(void) __attribute__((warn_unused_result));

/* Gives back a page of page_alloc. */
void page_free(void *page);

uint32_t page_count_total(void);
uint32_t page_count_free(void);

#endif
