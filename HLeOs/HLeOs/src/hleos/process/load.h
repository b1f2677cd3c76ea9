/* From an ELF file's bytes to a space that a program can begin in. */
#ifndef HLEOS_PROCESS_LOAD_H
#define HLEOS_PROCESS_LOAD_H

#include "process.h"

enum { LOAD_ARGUMENTS_MAX = 32, LOAD_ARGUMENT_BYTES = 2000 };

/* A new image: 0, or an error, and then nothing is left of it. */
int load_image(struct process_image *image, const void *file, size_t size, int argc,
               const char *const *argv) __attribute__((warn_unused_result));

#endif
