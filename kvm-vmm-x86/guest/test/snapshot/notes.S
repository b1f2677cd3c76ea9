/*
 * Keeps the last key in its memory, and prints it: a line for each key, and for each '?' a line
 * with the last key. Enter does not count.
 */
#include "../../guest.inc"
    .code16
next:
    getchar
    jc over
    cmp $'\n', %al
    je next
    cmp $'?', %al
    je show
    mov %al, kept
show:
    putchar kept
    putchar $'\n'
    jmp next
over:
    exit

    .balign 4096
kept:
    .byte '-'
