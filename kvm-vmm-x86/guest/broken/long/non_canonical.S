/*
 * A pointer with a tag in its upper bits.
 *
 * Mode: long
 * Fault: 13 0x0 at broken
 * Chain: 0d 08
 * Says: general protection fault (read of 0x8000000100000, which is not canonical) | IDT limit 0
 */
#include "../broken.inc"
    .code64
    mov $0x0008000000100000, %rsi
broken:
    mov (%rsi), %eax
    exit
