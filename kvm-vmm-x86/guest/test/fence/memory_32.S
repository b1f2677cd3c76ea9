/*
 * Mode: protected. Reads the byte at the address 0x7f000000, below the mapping of 0x80000000 and
 * above all RAM: a 32-bit guest is confined to its memory too.
 */
#include "../../guest.inc"
    .code32
    putchar $'>'
    putchar $'\n'
    mov 0x7f000000, %al
    exit
