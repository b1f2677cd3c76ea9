/*
 * A triple fault: an interrupt with an IDT of no entries, so that neither it nor the fault it
 * causes has a handler.
 */
#include "../../guest.inc"
    .code16
    putchar $'3'
    putchar $'\n'
    lidt nothing
    int3
    exit
nothing:
    .word 0
    .long 0
