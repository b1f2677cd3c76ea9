/* The only way to a program's memory: every byte of a range is checked before one is touched. A
 * program cannot change its mappings meanwhile, since the kernel is not interrupted. */
#ifndef KERNEL_MEMORY_PROGRAM_MEMORY_H
#define KERNEL_MEMORY_PROGRAM_MEMORY_H

#include <stdint.h>

/* Returns the range as a pointer, or NULL unless the program in the current space may read all of
 * it. It is valid while that space is. */
const void *program_memory_in(uint32_t address, uint32_t length);

/* The same for memory that it may write. */
void *program_memory_out(uint32_t address, uint32_t length);

/* Copies a text that ends within `size` bytes. Returns 0, or an error if it does not or cannot be
 * read. */
int program_memory_text(uint32_t address, char *text, uint32_t size)
    __attribute__((warn_unused_result));

#endif
