/*
 * User code that executes a privileged instruction. The handler exists, but the TSS with the
 * kernel's stack has only zeroes: its SS0 is selector 0.
 *
 * Mode: protected
 * Fault: 13 0x0 at broken
 * Chain: 0d 08
 * Says: general protection fault (a privileged instruction at level 3) | the TSS's stack selector 0x0 is null
 */
#include "../broken.inc"
    .code32
    mov %cr3, %ebx          /* level 3 may use RAM at its high addresses */
    orl $4, 0x800(%ebx)
    mov %ebx, %cr3
    lgdt gdt_pointer
    mov $0x28, %eax
    ltr %ax
    gate32 13, handler
    gate32 8, handler
    lidt idt_pointer
    push $0x23
    push $stack
    push $2
    push $0x1b
    push $broken
    iret
broken:
    hlt
handler:
    exit

    .balign 8
gdt:
    .quad 0, 0x00cf9b000000ffff, 0x00cf93000000ffff, 0x00cffb000000ffff, 0x00cff3000000ffff
    .quad 0x0000890200000067    /* a TSS at 0x20000, in RAM that was never written */
gdt_pointer:
    .word . - gdt - 1
    .long gdt
    .fill 64
stack:
    idt_table 8
