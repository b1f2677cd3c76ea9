/* Makes a file into an address space that is ready to run. */
#ifndef KERNEL_PROCESS_PROGRAM_H
#define KERNEL_PROCESS_PROGRAM_H

#include <stdint.h>

#include "include/system.h"

struct program {
    uint32_t space, entry, stack; /* the stack holds the command line and a pointer to it */
    char path[NAME_SIZE];
};

/* Loads the file named by the first word of `command_line`. Returns 0 or an error. */
int program_load(const char *command_line, struct program *program)
    __attribute__((warn_unused_result));

#endif
