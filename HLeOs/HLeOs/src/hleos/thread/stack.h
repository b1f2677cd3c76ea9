/* The stacks of threads: 16 KB each, with 16 KB below that are never mapped. */
#ifndef HLEOS_THREAD_STACK_H
#define HLEOS_THREAD_STACK_H

#include <stdbool.h>
#include <stddef.h>

#include "cpu.h"

/* A new stack; false if memory is out. */
bool stack_allocate(struct cpu_stack *stack) __attribute__((warn_unused_result));
/* Frees a stack; the last few stay mapped for new threads. */
void stack_free(const struct cpu_stack *stack);
/* The number of pages in such unused stacks. */
size_t stack_pages_kept(void);

#endif
