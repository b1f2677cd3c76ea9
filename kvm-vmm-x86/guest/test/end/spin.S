/* Prints a dot and then loops for ever without a single exit. */
#include "../../guest.inc"
    .code16
    putchar $'.'
    putchar $'\n'
1:  jmp 1b
