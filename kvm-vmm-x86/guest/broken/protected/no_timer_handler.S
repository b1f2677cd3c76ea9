/*
 * Interrupts switched on, and a timer that ticks, but no interrupt table.
 *
 * Mode: protected
 * Fault: 32 - at turn
 * Chain: 20 0d 08
 * Says: interrupt 0x20 (from a device) | IDT limit 0
 */
#include "../broken.inc"
    .code32
    start_timer
    sti
turn:
    jmp turn
