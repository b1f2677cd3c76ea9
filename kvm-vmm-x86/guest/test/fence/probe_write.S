/* Writes a byte at 0xcf010, outside every window but the fourth's. */
#include "../../guest.inc"
    .code16
    mov $0xcf00, %ax
    mov %ax, %ds
    movb $0x90, 0x0010
    mov %cs, %bx
    mov %bx, %ds
    print written
    exit
include_print
written:
    .asciz "written\n"
