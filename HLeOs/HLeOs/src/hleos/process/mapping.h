/*
 * Memory that a program asks for apart from its data: zeros, or a file's bytes as they are at that
 * moment. It is private; a child gets a copy, as of all memory.
 */
#ifndef HLEOS_PROCESS_MAPPING_H
#define HLEOS_PROCESS_MAPPING_H

#include <stdint.h>

struct file;
struct process_image;

/* The address, or -1: too many mappings, too large, no memory, or the file cannot be read at a
 * place. Behind the file's end there are zeros. `file` may be NULL. */
int64_t mapping_create(struct process_image *image, uint64_t size, const struct file *file,
                       uint64_t offset);
/* Removes a whole mapping; -1 if none begins there with that size. */
int mapping_remove(struct process_image *image, uintptr_t address, uint64_t size);

#endif
