/* Looks up the kernel's functions by address; see symbols.h. */
#include "kernel/cpu/symbols.h"

#include "kernel/memory/image.h"

struct symbol {
    uint32_t offset;
    const char *name;
};

extern const struct symbol symbol_table[], symbol_table_end[]; /* sorted by offset */

bool symbols_is_code(uint32_t address)
{
    return address >= (uint32_t)image_begin && address < (uint32_t)rodata_begin;
}

const char *symbols_find(uint32_t address, uint32_t *offset)
{
    struct symbol best = {0, "text_begin"};

    *offset = address - (uint32_t)text_begin;
    for (const struct symbol *s = symbol_table; s < symbol_table_end && s->offset <= *offset; s++)
        best = *s;
    *offset -= best.offset;
    return best.name;
}
