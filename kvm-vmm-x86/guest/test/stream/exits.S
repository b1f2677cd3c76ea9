/*
 * 50,000 hypercalls that print nothing (HC_WRITE of no bytes), between two bytes that mark the
 * beginning and the end: for measuring what an exit costs.
 */
#include "../../guest.inc"
    .code16
    putchar $'<'
    putchar $'\n'
    xor %ecx, %ecx
    mov $50000, %si
    mov $HC_PORT, %dx
    mov $HC_WRITE, %al
1:  out %al, %dx
    dec %si
    jnz 1b
    putchar $'>'
    putchar $'\n'
    exit
