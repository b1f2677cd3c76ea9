/* ISA strings, such as "rv64imafdch_zba_sstc": what a hart can do. Pure. */
#ifndef LIB_ISA_H
#define LIB_ISA_H

#include "lib/types.h"

enum { ISA_SIZE = 1024 };

/* Is `extension` ("h", "sstc", ...) in the string? */
bool isa_has(const char *isa, const char *extension);
/* Writes the list of names in riscv,isa-extensions, each with its end, as such a string of a 64-bit
 * hart; names that do not fit are left out. */
void isa_join(const char *names, size_t size, char isa[ISA_SIZE]);

#endif
