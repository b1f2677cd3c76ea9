/*
 * A stack pointer to unmapped memory, and a good handler for the page fault that this causes; but
 * the handler's frame would be pushed on the same stack.
 *
 * Mode: protected
 * Fault: 14 0x2 at broken CR2 0x4fffffc
 * Chain: 0e 08
 * Says: page fault at 0x4fffffc | not present: PD[19] bit 0 (P) | the stack at 0x5000000 cannot take the frame
 */
#include "../broken.inc"
    .code32
    gate32 14, handler
    gate32 8, handler
    lidt idt_pointer
    mov $0x5000000, %esp
broken:
    push %eax
handler:
    exit
    idt_table 8
