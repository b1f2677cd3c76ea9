/* Asks for input again and again after its end: the VMM must stop it at the sixteenth. */
#include "../../guest.inc"
    .code16
1:  getchar
    jnc 1b
    putchar $'.'
    jmp 1b
