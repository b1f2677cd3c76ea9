/* Loads an ELF file into a new space in which a program can start. */
#ifndef HLEOS_PROCESS_LOAD_H
#define HLEOS_PROCESS_LOAD_H

#include "process.h"

enum { LOAD_ARGUMENTS_MAX = 32, LOAD_ARGUMENT_BYTES = 2000 };

/* Makes a new image: 0, or an error, after which nothing is left allocated. */
int load_image(struct process_image *image, const void *file, size_t size, int argc,
               const char *const *argv) __attribute__((warn_unused_result));

#endif
