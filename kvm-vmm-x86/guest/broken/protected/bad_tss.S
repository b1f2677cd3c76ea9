/*
 * LTR with the selector of a data segment.
 *
 * Mode: protected
 * Fault: 13 0x10 at broken
 * Chain: 0d 08
 * Says: general protection fault (LTR with selector 0x10, whose descriptor is not a TSS (type 0x3)) | IDT limit 0
 */
#include "../broken.inc"
    .code32
    mov $DATA, %eax
broken:
    ltr %ax
    exit
