/* Arbitrary bytes for the readers of archives, images and symbols: they must read only these bytes,
 * and end. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cpio.h"
#include "lib/symbols.h"
#include "vm/image.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cpio_file file;
    struct image_plan plan;
    struct symbol symbol;
    size_t offset = 0;

    while (cpio_next(data, size, &offset, &file))
        if (file.size > size || file.data + file.size > data + size)
            abort();
    if (image_plan(data, size, ~0ul, ~0ul, &plan) == NULL)
        for (unsigned i = 0; i < plan.count; i++)
            if (plan.segment[i].offset > size ||
                plan.segment[i].size > size - plan.segment[i].offset)
                abort();
    if (symbols_find((const char *)data, size, 0x1000, &symbol) &&
        (const uint8_t *)symbol.name + symbol.length > data + size)
        abort();
    return 0;
}
