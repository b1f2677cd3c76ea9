/*
 * A recursion without end. Below the stack one 2 MB page is left out as a guard; there is a handler
 * for the page fault, but it would use the same stack.
 *
 * Mode: long
 * Fault: 14 0x2 at broken CR2 0x3ffff8
 * Chain: 0e 08
 * Says: page fault at 0x3ffff8 | not present: PD[1] bit 0 (P) | the stack at 0x400000 cannot take the frame
 */
#include "../broken.inc"
    .code64
    mov %cr3, %rbx
    movl $0, 0x2000 + 8(%rbx)
    mov %rbx, %cr3
    gate64 14, handler
    gate64 8, handler
    lidt idt_pointer(%rip)
    mov $0x400100, %esp
broken:
    call broken
handler:
    exit
    idt_table 16
