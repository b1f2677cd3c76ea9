/*
 * A quotient of 33 bits.
 *
 * Mode: protected
 * Fault: 0 - at broken
 * Chain: 00 08
 * Says: divide error (the quotient does not fit into 32 bits) | IDT limit 0
 */
#include "../broken.inc"
    .code32
    mov $1, %edx
    xor %eax, %eax
    mov $1, %ebx
broken:
    div %ebx
    exit
