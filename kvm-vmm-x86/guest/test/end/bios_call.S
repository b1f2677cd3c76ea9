/* A boot sector that prints by the BIOS; after a key `d` it divides by zero first. */
#include "../../guest.inc"
    .code16
    .globl start
start:
    getchar
    cmp $'d', %al
    jne 1f
    xor %cx, %cx
    div %cx
1:  mov $0x0e41, %ax
    int $0x10
    hlt
    .org 510
    .word 0xaa55
