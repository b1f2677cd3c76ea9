/*
 * A write beyond the 4 GB that are mapped, with no interrupt table. Entry 4 of the PDPT would map
 * the fifth gigabyte.
 *
 * Mode: long
 * Fault: 14 0x2 at broken CR2 0x100000000
 * Chain: 0e 08
 * Says: page fault at 0x100000000 | write; not present: PDPT[4] bit 0 (P) is clear | IDT limit 0
 */
#include "../broken.inc"
    .code64
    mov $0x100000000, %rdi
broken:
    movl $1, (%rdi)
    exit
