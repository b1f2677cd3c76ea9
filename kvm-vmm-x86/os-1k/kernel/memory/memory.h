/*
 * Memory: pages of 4 KB, and the address spaces that are made of them. The upper half of a space is
 * the kernel's, the same in all: physical memory at KERNEL_BASE. The lower half belongs to one
 * program. A space is named by the physical address of its top table, the value of CR3.
 */
#ifndef KERNEL_MEMORY_MEMORY_H
#define KERNEL_MEMORY_MEMORY_H

#include "kernel/kernel.h"

/* Takes over the memory from the end of the image up to physical address `end`; returns where the
 * part that the kernel can use ends. */
uint32_t page_init(uint32_t end);

/* Returns `count` pages in a row, full of zeros, or NULL if there are not as many. */
void *page_alloc(uint32_t count) __attribute__((warn_unused_result));

/* Gives back what page_alloc returned. */
void page_free(void *pages, uint32_t count);

/* What may be done with a page: bits of its entry in the tables. The processor's own bit for
 * executing says the opposite, so that right is one of the bits that it leaves to the system. */
enum space_rights {
    SPACE_READ = 0, /* always */
    SPACE_WRITE = 1 << 1,
    SPACE_PROGRAM = 1 << 2, /* from ring 3 too */
    SPACE_EXECUTE = 1 << 9, /* what lacks it cannot run, where the processor knows NX */
};

/* Builds the kernel's own tables and switches to them; the loader's are gone after that. Returns
 * the space that has no program. */
uint32_t space_init(uint32_t memory_end);

/* Returns where the kernel reaches a device, up to the end of its page; the one of the last call is
 * not mapped any more. For the boot: no space may have been created yet. */
void *space_map_device(uint32_t physical);

/* Returns a new space, or 0 if memory is short. */
uint32_t space_create(void) __attribute__((warn_unused_result));

/* Gives back the program's pages and all tables. */
void space_destroy(uint32_t space);

/* Adds a page of zeros and returns it in the kernel's view; NULL if memory is short. */
void *space_add(uint32_t space, uint32_t address, unsigned rights);

/* Finds the byte at `address` in the kernel's view, or NULL if the page is not mapped with all of
 * `rights`. */
void *space_find(uint32_t space, uint32_t address, unsigned rights);

/* Whether the running program has all of this memory, with these rights; whether it has a text
 * there that ends within `size` bytes. What is true stays true, as the kernel is not interrupted.
 */
bool space_program_has(uint32_t address, uint32_t length, unsigned rights);
bool space_program_has_text(uint32_t address, uint32_t size);

#endif
