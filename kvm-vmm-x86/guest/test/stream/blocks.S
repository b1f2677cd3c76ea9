/* 8 MB of lines of 64 bytes, in 2,000 WRITE hypercalls of 4 KB: for measuring how fast output is. */
#include "../../guest.inc"
    .code16
    mov $block, %ebx
    mov $4096, %ecx
    mov $2000, %si
    mov $HC_PORT, %dx
    mov $HC_WRITE, %al
1:  out %al, %dx
    dec %si
    jnz 1b
    exit

block:
    .rept 64
    .fill 63, 1, 'x'
    .byte '\n'
    .endr
