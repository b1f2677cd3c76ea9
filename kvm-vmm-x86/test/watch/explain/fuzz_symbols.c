/* libFuzzer: any file as a symbol file; every symbol is looked up at both ends. */
#include <string.h>

#include "watch/explain/symbols.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct symbols symbols;
    struct error error;
    char text[160];

    if (symbols_read(&symbols, data, size, "fuzz", &error) < 0)
        return 0;
    for (size_t i = 0; i < symbols.count; i++) {
        const struct symbol *s = &symbols.list[i];

        if (s->end <= s->start || !symbols_name(&symbols, s->start, text, sizeof text) ||
            strlen(text) >= sizeof text)
            __builtin_trap();
        (void)symbols_name(&symbols, s->end, text, sizeof text);
    }
    symbols_release(&symbols);
    return 0;
}
