/*
 * An IDT whose gate for #UD is a call gate (type 0xc): such gates are valid only in the GDT.
 *
 * Mode: protected
 * Fault: 6 - at broken
 * Chain: 06 0d 08
 * Says: invalid opcode | gate 6 is not a gate (type 0xc) | general protection fault: gate 13 is not a gate
 */
#include "../broken.inc"
    .code32
    gate32 6, handler, CODE, 0x8c
    lidt idt_pointer
broken:
    ud2
handler:
    exit
    idt_table 8
