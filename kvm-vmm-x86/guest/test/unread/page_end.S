/* Prints 4,096 bytes, which fill a pipe of one page, then a little more, and ends well. */
#include "../../guest.inc"
    .code16
    mov $4095, %cx
1:  putchar $'x'
    loop 1b
    putchar $'\n'
    putchar $'>'
    exit
