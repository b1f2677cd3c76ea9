/*
 * A gate without its present bit.
 *
 * Mode: protected
 * Fault: 6 - at broken
 * Chain: 06 0b 08
 * Says: invalid opcode | gate 6 is not present (bit 47 is clear) | segment not present: gate 11 is not a gate
 */
#include "../broken.inc"
    .code32
    gate32 6, handler, CODE, GATE_ABSENT
    lidt idt_pointer
broken:
    ud2
handler:
    exit
    idt_table 8
