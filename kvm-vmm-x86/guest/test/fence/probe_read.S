/*
 * Reads a byte at 0xcf010, outside every window but the fourth's; prints what it has read if the
 * VMM does not stop it.
 */
#include "../../guest.inc"
    .code16
    mov $0xcf00, %ax
    mov %ax, %ds
    mov 0x0010, %al
    mov %cs, %bx
    mov %bx, %ds
    cmp $0xff, %al          /* what a bus reads as without a device */
    jne other
    print ones
    exit
other:
    print secret
    debug_exit 1
include_print
ones:
    .asciz "read 0xff\n"
secret:
    .asciz "read something else\n"
