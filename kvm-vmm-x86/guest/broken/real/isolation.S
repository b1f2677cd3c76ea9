/*
 * The second common issue: memory isolation. Segment 0x4000 begins where the guest's own window
 * ends: the byte belongs to the next guest's window, where this guest has no memory.
 *
 * Mode: real
 * Says: write at 0x40000, outside its memory
 * QEMU: no, it has memory there
 */
#include "../broken.inc"
    .code16
    mov $0x4000, %ax
    mov %ax, %ds
broken:
    movb $1, 0
    exit
