/*
 * Names of a guest's functions, from a text like System.map, `nm -n --defined-only` and the
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

/* Finds the last symbol at or below `address` that is not a label within a function; false if all
 * are above it, or the text has another format. */
bool symbols_find(const char *text, size_t size, uint64_t address, struct symbol *symbol);

#endif
