/* Halts with interrupts off. */
#include "../../guest.inc"
    .code16
    putchar $'h'
    putchar $'\n'
    cli
    hlt
    print still_here
    debug_exit 1
include_print
still_here:
    .asciz "still here\n"
