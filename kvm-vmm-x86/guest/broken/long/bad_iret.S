/*
 * A handler that overwrites the code selector on its stack and then returns to it: the fault is in
 * the handler, not at the first exception.
 *
 * Mode: long
 * Fault: 13 0x0 at broken
 * Chain: 06 0d 08
 * Says: general protection fault (CS loaded with selector 0x0, which is null) | gate 13 is not a gate (type 0x0)
 */
#include "../broken.inc"
    .code64
    gate64 6, handler
    lidt idt_pointer(%rip)
    ud2
handler:
    movq $0, 8(%rsp)
broken:
    iretq
    idt_table 16
