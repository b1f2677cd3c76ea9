/* Halts with interrupts on: without a source of interrupts, that is for ever. */
#include "../../guest.inc"
    .code16
    putchar $'h'
    putchar $'\n'
    sti
    hlt
    print woken
    debug_exit 1
include_print
woken:
    .asciz "woken\n"
