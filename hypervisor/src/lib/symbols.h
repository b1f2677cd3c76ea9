/*
 * Names of a guest's functions, out of a text as System.map, `nm -n --defined-only` and the
 * kernel's own part of /proc/kallsyms have it (modules' symbols behind it are not in order): a line
 * for each symbol, `ADDRESS TYPE NAME`, in ascending order. Pure.
 */
#ifndef LIB_SYMBOLS_H
#define LIB_SYMBOLS_H

#include "lib/types.h"

struct symbol {
    const char *name; /* without an end */
    size_t length;
    uint64_t address;
};

/* The last symbol at or below `address` that is no label within a function; false where all are
 * above it, or the text is something else.
 */
bool symbols_find(const char *text, size_t size, uint64_t address, struct symbol *symbol);

#endif
