/*
 * An aligned SSE move from an odd address.
 *
 * Mode: long
 * Fault: 13 0x0 at broken
 * Chain: 0d 08
 * Says: general protection fault (read of 16 bytes at 0x100801, not aligned to 16) | IDT limit 0
 */
#include "../broken.inc"
    .code64
    mov $0x100801, %esi
broken:
    movaps (%rsi), %xmm0
    exit
