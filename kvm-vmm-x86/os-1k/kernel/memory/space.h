/*
 * Address spaces. The upper half, from KERNEL_BASE on, is the kernel's and the same in all of them;
 * the lower half belongs to one program. A space is named by the physical address of its top table,
 * the value of CR3.
 */
#ifndef KERNEL_MEMORY_SPACE_H
#define KERNEL_MEMORY_SPACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum space_rights {
    SPACE_READ = 0, /* always */
    SPACE_WRITE = 1 << 0,
    SPACE_EXECUTE = 1 << 1, /* what lacks it cannot run, where the processor knows NX */
    SPACE_PROGRAM = 1 << 2, /* ring 3 may use the page */
};

/* Builds the kernel's own tables and switches to them; the loader's are gone after that. */
void space_init(void);

/* How memory is protected here, in words. */
const char *space_protection(void);

/* The space that has no program in its lower half. */
uint32_t space_kernel(void);

/* Returns a new space, or 0 if memory is short. */
uint32_t space_create(void) __attribute__((warn_unused_result));

/* Gives back the program's pages and all tables. The space must not be the current one. */
void space_destroy(uint32_t space);

/* Maps one page; the space owns it from then on. False if memory for a table is short. */
bool space_map(uint32_t space, uint32_t address, void *page, unsigned rights)
    __attribute__((warn_unused_result));

/* Finds the byte at a program's `address` in the kernel's view, or NULL if the page is not mapped
 * with all of `rights`. */
void *space_find(uint32_t space, uint32_t address, unsigned rights);

#endif
