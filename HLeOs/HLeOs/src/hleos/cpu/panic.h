/* Panics: for bugs of the kernel, and for faults after which no thread can be ended instead. */
#ifndef HLEOS_PANIC_H
#define HLEOS_PANIC_H

#include <stdint.h>

#include "common/fmt.h"

/* Prints the reason and a backtrace on every console without waiting for any lock, and ends the
 * machine with MACHINE_PANIC (machine.h). */
#define panic(...) panic_stop(__VA_ARGS__)
void panic_stop(const char *format, ...) FMT_PRINTF(1, 2) __attribute__((noreturn));

/* Prints the call chain from a frame pointer on: symbol+offset for each return address. Stops at
 * the first frame outside mapped kernel stacks. */
void panic_backtrace(const uintptr_t *frame);

#endif
