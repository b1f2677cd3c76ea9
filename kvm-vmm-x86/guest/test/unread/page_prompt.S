/* Prints 4,096 bytes, which fill a pipe of one page, then a prompt, and loops for ever. */
#include "../../guest.inc"
    .code16
    mov $4095, %cx
1:  putchar $'x'
    loop 1b
    putchar $'\n'
    putchar $'>'
2:  jmp 2b
