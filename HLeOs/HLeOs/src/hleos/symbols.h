/* Names for addresses of kernel code; the table is made from the linked kernel itself (Makefile).
 */
#ifndef HLEOS_SYMBOLS_H
#define HLEOS_SYMBOLS_H

#include <stdint.h>

struct symbol {
    const char *name; /* "?" if the address is no kernel code */
    uintptr_t offset; /* of the address in that function */
};

struct symbol symbols_find(uintptr_t address);

#endif
