/*
 * Reads the last byte of the default window of 256 KB, then the first one after it: the window ends
 * where it is documented.
 */
#include "../../guest.inc"
    .code16
    mov %cs, %ax
    mov %ax, %bp
    add $0x3000, %ax
    mov %ax, %es
    mov %es:0xffff, %cl
    print inside
    add $0x4000, %bp
    mov %bp, %es
    mov %es:0x0000, %cl
    print outside
    exit
include_print
inside:
    .asciz "inside\n"
outside:
    .asciz "outside\n"
