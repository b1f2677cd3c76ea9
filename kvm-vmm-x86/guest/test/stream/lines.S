/*
 * Writes 10,000 lines, `A0000` to `A9999`, a byte at a time. The letter shows the window of the
 * guest: A to D for 0x00000, 0x40000, 0x80000 and 0xc0000.
 */
#include "../../guest.inc"
    .code16
line:
    mov %cs, %ax
    shr $14, %ax
    add $'A', %al
    putchar %al
    mov $number, %si
    mov $4, %cx
1:  lodsb
    putchar %al
    loop 1b
    putchar $'\n'

    mov $number + 3, %si    /* one more, in decimal; a carry out of the first digit is the end */
2:  incb (%si)
    cmpb $'9', (%si)
    jbe line
    movb $'0', (%si)
    dec %si
    cmp $number, %si
    jae 2b
    exit

number:
    .ascii "0000"
