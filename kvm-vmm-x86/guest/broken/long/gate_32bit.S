/*
 * A gate to a 32-bit code segment, left over from before long mode. The guest loads a GDT that has
 * such a segment.
 *
 * Mode: long
 * Fault: 6 - at broken
 * Chain: 06 0d 08
 * Says: invalid opcode | gate 6's code selector 0x18 is not a 64-bit code segment (bit 53 is clear)
 */
#include "../broken.inc"
    .code64
    lgdt gdt_pointer(%rip)
    gate64 6, handler, 0x18
    lidt idt_pointer(%rip)
broken:
    ud2
handler:
    exit
    .balign 8
gdt:
    .quad 0, 0x00af9b000000ffff, 0x00cf93000000ffff, 0x00cf9b000000ffff
gdt_pointer:
    .word . - gdt - 1
    .quad gdt
    idt_table 16
