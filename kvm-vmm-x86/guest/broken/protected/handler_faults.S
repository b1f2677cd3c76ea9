/*
 * A page fault whose handler begins with the very access that faulted: each fault nests in the one
 * before, until the stack is used up.
 *
 * Mode: protected
 * Fault: 14 0x0 at handler CR2 0x4000000
 * Says: page fault at 0x4000000 | read; not present: PD[16] bit 0 (P) | raises it again, until the stack is used up
 * QEMU: no, its log has one line for each of thousands of nested faults
 */
#include "../broken.inc"
    .code32
    gate32 14, handler
    lidt idt_pointer
    mov $0x8000, %esp
    mov 0x4000000, %eax
    exit
    .balign 64
handler:
    mov 0x4000000, %eax
    iret
    idt_table 8
