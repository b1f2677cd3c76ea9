/*
 * A call through a function pointer that was never set, in an address space whose first 4 MB are left
 * unmapped to catch just that.
 *
 * Mode: protected
 * Fault: 14 0x0 at 0x0 CR2 0x0
 * Chain: 0e 08
 * Says: page fault at 0x0 | fetch; not present: PD[0] bit 0 (P) is clear | IDT limit 0
 */
#include "../broken.inc"
    .code32
    mov %cr3, %ebx
    movl $0, (%ebx)
    mov %ebx, %cr3
    call *pointer
    exit
pointer:
    .long 0
