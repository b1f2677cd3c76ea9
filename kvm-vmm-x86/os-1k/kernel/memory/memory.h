/*
 * Memory: pages of 4 KB, and the address spaces that are made of them. The upper half of a space is
 * the kernel's and the same in all: memory at KERNEL_BASE, the contents of files at FILE_BASE. The
 * lower half belongs to one program. A space is named by the physical address of its top table, the
 * value of CR3.
 */
#ifndef KERNEL_MEMORY_MEMORY_H
#define KERNEL_MEMORY_MEMORY_H

#include "kernel/kernel.h"

#define FILE_BASE     0xc0000000u
#define FILE_SIZE_MAX 0x00100000u

/* Takes over the memory from the end of the image up to physical address `end`; returns where the
 * part that the kernel can use ends. */
uint32_t page_init(uint32_t end);

/* Returns a page full of zeros, or NULL if there is none left. */
void *page_alloc(void) __attribute__((warn_unused_result));

/* Gives back a page of page_alloc. */
void page_free(void *page);

enum space_rights {
    SPACE_READ = 0, /* always */
    SPACE_WRITE = 1 << 0,
    SPACE_EXECUTE = 1 << 1, /* what lacks it cannot run, where the processor knows NX */
    SPACE_PROGRAM = 1 << 2, /* ring 3 may use the page */
};

/* Builds the kernel's own tables and switches to them; the loader's are gone after that. */
void space_init(uint32_t memory_end);

/* The space that has no program in its lower half. */
uint32_t space_kernel(void);

/* Returns a new space, or 0 if memory is short. */
uint32_t space_create(void) __attribute__((warn_unused_result));

/* Gives back the program's pages and all tables. */
void space_destroy(uint32_t space);

/* Adds a page of zeros and returns it in the kernel's view; NULL if memory is short. */
void *space_add(uint32_t space, uint32_t address, unsigned rights);

/* Gives back a page of the kernel's space. */
void space_remove(uint32_t address);

/* Finds the byte at `address` in the kernel's view, or NULL if the page is not mapped with all of
 * `rights`. */
void *space_find(uint32_t space, uint32_t address, unsigned rights);

/* The only ways to the memory of the running program, NULL unless it has all of it with these
 * rights. It cannot change its mappings meanwhile, nor the bytes, since the kernel is not
 * interrupted. A text must end within `size` bytes. */
void *space_program_memory(uint32_t address, uint32_t length, unsigned rights);
const char *space_program_text(uint32_t address, uint32_t size);

#endif
