/*
 * A gate with a stack of its own (IST1), and a TSS that is too short to hold it: its limit is 0x20,
 * IST1 is at 0x24.
 *
 * Mode: long
 * Fault: 6 - at broken
 * Chain: 06 0a 08
 * Says: invalid opcode | the TSS (selector 0x18, limit 0x20) ends before the stack pointer at 0x24
 */
#include "../broken.inc"
    .code64
    lgdt gdt_pointer(%rip)
    mov $0x18, %eax
    ltr %ax
    gate64 6, handler, CODE, GATE_INTERRUPT, 1
    lidt idt_pointer(%rip)
broken:
    ud2
handler:
    exit
    .balign 8
gdt:
    .quad 0, 0x00af9b000000ffff, 0x00cf93000000ffff
    .quad 0x0000890200000020, 0     /* a TSS at 0x20000, limit 0x20 */
gdt_pointer:
    .word . - gdt - 1
    .quad gdt
    idt_table 16
