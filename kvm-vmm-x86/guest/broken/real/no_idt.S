/*
 * A division by zero after loading an empty interrupt table.
 *
 * Mode: real
 * Fault: 0 - at broken
 * Chain: 00 08
 * Says: triple fault: divide error (division by zero) | IDT limit 0, so it could not be delivered
 */
#include "../broken.inc"
    .code16
    lidt nothing
    mov $1, %ax
    xor %bl, %bl
broken:
    div %bl
    exit
nothing:
    .word 0
    .long 0
