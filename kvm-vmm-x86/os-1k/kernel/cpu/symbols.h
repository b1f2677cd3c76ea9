/* The names of the kernel's functions, for backtraces. The table is made by the Makefile from a
 * first link of the kernel; its offsets count from text_begin, so both images can share it. */
#ifndef KERNEL_CPU_SYMBOLS_H
#define KERNEL_CPU_SYMBOLS_H

#include <stdbool.h>
#include <stdint.h>

bool symbols_is_code(uint32_t address);

/* Names the function that contains `address` and says how far into it that is. */
const char *symbols_find(uint32_t address, uint32_t *offset);

#endif
