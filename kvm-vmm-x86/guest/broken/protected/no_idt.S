/*
 * A write beyond the end of RAM (64 MB), with no interrupt table. Page directory entry 16 would map
 * 0x4000000; the VMM filled in 16, 0 to 15.
 *
 * Mode: protected
 * Fault: 14 0x2 at broken CR2 0x4000000
 * Chain: 0e 08
 * Says: page fault at 0x4000000 | write; not present: PD[16] bit 0 (P) is clear | IDT limit 0
 */
#include "../broken.inc"
    .code32
    mov $0x4000000, %edi
broken:
    movl $1, (%edi)
    exit
