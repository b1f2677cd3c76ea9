/* libFuzzer: arbitrary bytes for the ELF reader; each segment that it accepts must lie inside the
 * file. */
#include <stdlib.h>

#include "common/elf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct elf_file elf;
    struct elf_segment s;
    volatile uint8_t last;

    if (elf_open(&elf, data, size) != ELF_OK)
        return 0;
    for (unsigned i = 0; i < elf.phnum; i++) {
        if (elf_segment(&elf, i, &s) != ELF_OK || s.filesz == 0)
            continue;
        last = data[s.offset];
        last = data[s.offset + s.filesz - 1];
        (void)last;
    }
    return 0;
}
