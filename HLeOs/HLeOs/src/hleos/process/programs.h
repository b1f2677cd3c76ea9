/* The programs that the kernel's image contains: programs.S. */
#ifndef HLEOS_PROCESS_PROGRAMS_H
#define HLEOS_PROCESS_PROGRAMS_H

#include <stdint.h>

struct program {
    const char *name;
    const uint8_t *file, *end;
};

/* Ends with an entry whose name is NULL. */
extern const struct program programs[];

#endif
