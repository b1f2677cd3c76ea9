/* Reads one byte, so that keys are for it, and then none of those that follow. */
#include "../../guest.inc"
    .code16
    putchar $'?'
    getchar
    putchar $'!'
1:  jmp 1b
