/* Reads one byte, so that it gets the keys, and then never reads again. */
#include "../../guest.inc"
    .code16
    putchar $'?'
    getchar
    putchar $'!'
1:  jmp 1b
