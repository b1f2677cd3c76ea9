/*
 * Keeps the last key in its memory, and prints it: a line for each key, and one with what it has
 * for each '?'. Enter is no key.
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
