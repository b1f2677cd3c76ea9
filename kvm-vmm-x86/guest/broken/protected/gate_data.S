/*
 * A gate whose selector is that of the data segment.
 *
 * Mode: protected
 * Fault: 6 - at broken
 * Chain: 06 0d 08
 * Says: invalid opcode | gate 6's code selector 0x10 is not a code segment
 */
#include "../broken.inc"
    .code32
    gate32 6, handler, DATA
    lidt idt_pointer
broken:
    ud2
handler:
    exit
    idt_table 8
