/*
 * Gives back every byte of its input, by GETCHAR and PUTCHAR, until the carry flag shows the end.
 */
#include "../../guest.inc"
    .code16
1:  getchar
    jc 2f
    putchar %al
    jmp 1b
2:  exit
