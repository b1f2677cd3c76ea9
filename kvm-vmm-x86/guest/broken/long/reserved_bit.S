/*
 * A page-table entry with a bit beyond any physical address: bit 51.
 *
 * Mode: long
 * Fault: 14 0x9 at broken CR2 0x200000
 * Chain: 0e 08
 * Says: page fault at 0x200000 | read; a reserved bit is set: PD[1] bit 51 (reserved) is set | IDT limit 0
 * QEMU: error 0x8, which leaves out that a reserved bit is only looked at in a present entry (SDM 4.7)
 */
#include "../broken.inc"
    .code64
    mov %cr3, %rbx
    orl $0x80000, 0x2000 + 8 + 4(%rbx)
    mov %rbx, %cr3
broken:
    mov 0x200000, %eax
    exit
