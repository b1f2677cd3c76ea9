/*
 * Gives back every byte of its input, by GETCHAR and PUTCHAR, until the end that the carry flag
 * tells.
 */
#include "../../guest.inc"
    .code16
1:  getchar
    jc 2f
    putchar %al
    jmp 1b
2:  exit
