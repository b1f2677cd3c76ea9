/* Counts from 0 to 9. */
#include "guest.inc"
    .code16
    mov $'0', %bl
1:  putchar
    inc %bl
    cmp $'9', %bl
    jbe 1b
    putchar $'\n'
    exit
