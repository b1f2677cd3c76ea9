/*
 * The hypervisor's own words: print() for what is always said, trace() for what log=... asks for,
 * panic() for defects of ours. Where the bytes go is decided by console_set_output().
 */
#ifndef LIB_CONSOLE_H
#define LIB_CONSOLE_H

#include "common/fmt.h"
#include "lib/types.h"

/* Raw bytes to the machine's console, one writer at a time. Starts out as the firmware's. */
void console_set_output(void (*write)(const char *text, size_t length));
void console_write(const char *text, size_t length);

/* One piece of a line of the hypervisor's. A line begins with "hv: " by convention. */
void print(const char *format, ...) FMT_PRINTF(1, 2);

/* For defects of the hypervisor itself, never for what a guest or a file can cause. */
__attribute__((noreturn)) void panic(const char *format, ...) FMT_PRINTF(1, 2);

#endif
