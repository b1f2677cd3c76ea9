/*
 * A DOS call where there is no DOS, and an interrupt table of four vectors.
 *
 * Mode: real
 * Fault: 33 - at broken
 * Says: triple fault: interrupt 0x21 (int $0x21) | IDT limit 0xf ends before gate 33
 * QEMU: no, its log does not show software interrupts of real mode
 */
#include "../broken.inc"
    .code16
    lidt short_table
    mov $9, %ah
broken:
    int $0x21
    exit
short_table:
    .word 0xf
    .long 0
