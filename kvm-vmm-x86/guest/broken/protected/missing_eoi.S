/*
 * A timer handler that never sends the end of interrupt (EOI) to the PIC: the second tick never
 * comes, and the guest waits for ever.
 *
 * Mode: protected
 * Options: --timeout 2
 * Status: 124
 * Says: halted at | IRQ 0 (vector 0x20) is in service at the master PIC and was never ended (no EOI)
 * QEMU: no, nothing fails
 */
#include "../broken.inc"
    .code32
    gate32 0x20, tick
    lidt idt_pointer
    start_timer
    sti
rest:
    hlt
    cmpl $3, ticks
    jb rest
    exit
tick:
    incl ticks
    iret
ticks:
    .long 0
    .balign 16
idt:
    .fill 8 * 0x21
idt_pointer:
    .word 8 * 0x21 - 1
    .long idt
