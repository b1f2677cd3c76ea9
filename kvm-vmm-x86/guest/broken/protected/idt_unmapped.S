/*
 * An interrupt table at an address that is not mapped: entry 24 of the page directory would lead to
 * it.
 *
 * Mode: protected
 * Fault: 6 - at broken
 * Chain: 06 0e 08
 * Says: invalid opcode | gate 6 at 0x6000030 cannot be read, not present: PD[24] bit 0 (P) is clear
 */
#include "../broken.inc"
    .code32
    lidt far_away
broken:
    ud2
    exit
far_away:
    .word 0x7ff
    .long 0x6000000
