/* Searches the table that the second link of the kernel brings; see symbols.h. */
#include "HLeOs/HLeOs/src/hleos/symbols.h"

#include "HLeOs/HLeOs/src/hleos/memory/layout.h"

/* Sorted by address. name: offset into symbols_names. */
struct entry {
    uint32_t address; /* from KERNEL_BASE */
    uint32_t name;
};

extern const struct entry symbols_table[];
extern const uint32_t symbols_count;
extern const char symbols_names[];
extern const char text_end[];

struct symbol symbols_find(uintptr_t address)
{
    uintptr_t at = address - KERNEL_BASE;
    uint32_t low = 0, high = symbols_count;

    if (address < KERNEL_BASE || address >= (uintptr_t)text_end || symbols_count == 0)
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
