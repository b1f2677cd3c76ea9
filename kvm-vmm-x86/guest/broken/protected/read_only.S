/*
 * A write to a page that has just been made read-only, with CR0.WP set, so that this applies to the
 * kernel too.
 *
 * Mode: protected
 * Fault: 14 0x3 at broken CR2 0x400000
 * Chain: 0e 08
 * Says: page fault at 0x400000 | write; not writable: PD[1] bit 1 (W) is clear | IDT limit 0
 */
#include "../broken.inc"
    .code32
    mov %cr3, %ebx
    andl $~2, 4(%ebx)
    mov %ebx, %cr3
    mov 0x400000, %eax
broken:
    mov %eax, 0x400000
    exit
