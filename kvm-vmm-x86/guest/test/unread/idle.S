/* Mode: long. Loops for ever without a single exit. */
#include "../../guest.inc"
    .code64
1:  jmp 1b
