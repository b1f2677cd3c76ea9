/*
 * A jump that lands in a table of numbers: 0f ff is not a useful instruction on any x86 (it is
 * UD0).
 *
 * Mode: real
 * Fault: 6 - at broken
 * Chain: 06 0d 08
 * Says: triple fault: invalid opcode | always raises #UD | IDT limit 0
 */
#include "../broken.inc"
    .code16
    lidt nothing
    jmp broken
nothing:
    .word 0
    .long 0
broken:
    .byte 0x0f, 0xff, 0xff, 0xff
