/* An unknown hypercall, number 0x77, by an OUT at address 0x100. */
#include "../../guest.inc"
    .code16
    mov $HC_PORT, %dx
    mov $0x77, %al
    jmp call
    .org 0x100
call:
    out %al, %dx
    exit
