/* Searches the table that the second link of a kernel adds; see symbols.h. */
#include "common/symbols.h"

/* Sorted by address. */
struct entry {
    uint32_t address; /* from text_begin */
    uint32_t name;    /* from symbols_names */
};

extern const struct entry symbols_table[];
extern const uint32_t symbols_count;
extern const char symbols_names[];
extern const char text_begin[], text_end[]; /* the linker script's */

struct symbol symbols_find(uintptr_t address)
{
    uintptr_t at = address - (uintptr_t)text_begin;
    uint32_t low = 0, high = symbols_count;

    if (address < (uintptr_t)text_begin || address >= (uintptr_t)text_end || symbols_count == 0)
        return (struct symbol){"?", 0};
    while (high - low > 1) { /* table[low] <= at < table[high] */
        uint32_t middle = low + (high - low) / 2;

        if (symbols_table[middle].address <= at)
            low = middle;
        else
            high = middle;
    }
    return (struct symbol){symbols_names + symbols_table[low].name,
                           at - symbols_table[low].address};
}
