/*
 * A write to a 2 MB page without its W bit.
 *
 * Mode: long
 * Fault: 14 0x3 at broken CR2 0x200010
 * Chain: 0e 08
 * Says: page fault at 0x200010 | write; not writable: PD[1] bit 1 (W) is clear | IDT limit 0
 */
#include "../broken.inc"
    .code64
    mov %cr3, %rbx
    andl $~2, 0x2000 + 8(%rbx)
    mov %rbx, %cr3
    mov $0x200000, %edi
broken:
    addq $1, 0x10(%rdi)
    exit
