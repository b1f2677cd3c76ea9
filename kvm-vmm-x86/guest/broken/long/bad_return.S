/*
 * A return address overwritten by a text, "AAAAA".
 *
 * Mode: long
 * Fault: 14 0x0 at 0x4141414141 CR2 0x4141414141
 * Chain: 0e 08
 * Says: page fault at 0x4141414141 | fetch; not present: PDPT[261] bit 0 (P) is clear | IDT limit 0
 */
#include "../broken.inc"
    .code64
    mov $0x4141414141, %rax
    push %rax
    ret
