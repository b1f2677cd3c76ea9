/*
 * A data segment register loaded with a selector beyond the end of the GDT.
 *
 * Mode: protected
 * Fault: 13 0x40 at broken
 * Chain: 0d 08
 * Says: general protection fault (DS loaded with selector 0x40, which lies beyond the GDT (limit 0x17)) | IDT limit 0
 */
#include "../broken.inc"
    .code32
    mov $0x40, %eax
broken:
    mov %eax, %ds
    exit
