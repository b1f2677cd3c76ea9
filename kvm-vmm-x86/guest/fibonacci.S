/* The Fibonacci numbers that fit in 16 bits, with their index. */
#include "guest.inc"
    .code16
    xor %cx, %cx            /* index */
    xor %si, %si            /* F(index) */
    mov $1, %di             /* F(index + 1) */
1:  putchar $'F'
    putchar $'('
    mov %cx, %ax
    call print_number
    putchar $')'
    putchar $' '
    putchar $'='
    putchar $' '
    mov %si, %ax
    call print_number
    putchar $'\n'
    mov %di, %ax
    add %si, %ax            /* F(25) and F(26) do not fit, and are never printed */
    mov %di, %si
    mov %ax, %di
    inc %cx
    cmp $24, %cx
    jbe 1b
    exit
include_print
