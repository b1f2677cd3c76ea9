/*
 * Names for addresses of a kernel's own code. The Makefile links the kernel twice: the first time
 * with an empty table, to learn where its functions come to lie; mk/symbols.awk makes the table of
 * the second link. The table must lie behind the code, so that the code does not move when it is
 * filled.
 */
#ifndef COMMON_SYMBOLS_H
#define COMMON_SYMBOLS_H

#include <stdint.h>

struct symbol {
    const char *name; /* "?" if no function contains the address */
    uintptr_t offset; /* of the address in that function */
};

struct symbol symbols_find(uintptr_t address);

#endif
