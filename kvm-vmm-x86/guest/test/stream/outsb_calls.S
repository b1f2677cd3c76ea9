/* Copies its input to its output, with each hypercall made by `outsb`. */
#include "../../guest.inc"
    .code16
    mov $HC_PORT, %dx
    cld
1:  mov $calls, %si
    outsb                   /* GETCHAR */
    jc 2f
    mov %al, %bl
    outsb                   /* PUTCHAR */
    jmp 1b
2:  exit
calls:
    .byte HC_GETCHAR, HC_PUTCHAR
