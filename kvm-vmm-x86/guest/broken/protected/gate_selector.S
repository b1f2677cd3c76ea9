/*
 * A gate to a code segment beyond the end of the GDT, which has three entries: 0, 8 and 0x10.
 *
 * Mode: protected
 * Fault: 6 - at broken
 * Chain: 06 0d 08
 * Says: invalid opcode | gate 6's code selector 0x18 lies beyond the GDT (limit 0x17)
 */
#include "../broken.inc"
    .code32
    gate32 6, handler, 0x18
    lidt idt_pointer
broken:
    ud2
handler:
    exit
    idt_table 8
