/*
 * Mode: protected. Reads the byte at the address 0x7f000000, below the mapping of 0x80000000 and
 * above all RAM: a guest of 32 bits is fenced in too.
 */
#include "../../guest.inc"
    .code32
    putchar $'>'
    putchar $'\n'
    mov 0x7f000000, %al
    exit
