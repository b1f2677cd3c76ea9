/*
 * A far jump to selector 0.
 *
 * Mode: protected
 * Fault: 13 0x0 at broken
 * Chain: 0d 08
 * Says: general protection fault (CS loaded with selector 0x0, which is null) | IDT limit 0
 */
#include "../broken.inc"
    .code32
    cli
broken:
    ljmp $0, $0x80001000
