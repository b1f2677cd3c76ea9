/* Arbitrary bytes for the instruction decoder: it must read only these bytes, and end. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "vm/insn.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    for (size_t at = 0; at + 4 <= size; at += 4) {
        char text[INSN_TEXT_SIZE];
        uint32_t bits;
        struct insn i;

        memcpy(&bits, data + at, sizeof bits);
        i = insn_decode(bits);
        if (i.length != insn_length((uint16_t)bits) || i.kind >= INSN_KINDS || i.rd > 31 ||
            i.rs1 > 31 || i.rs2 > 31 || i.offset < -2048 || i.offset > 2047 ||
            strlen(insn_text(&i, text)) >= INSN_TEXT_SIZE)
            abort();
    }
    return 0;
}
