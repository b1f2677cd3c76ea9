/* Ends well by HC_EXIT while BL, CX and the rest hold garbage: that call has no status. */
#include "../../guest.inc"
    .code16
    mov $0x55aa, %bx
    mov $0xaa55, %cx
    exit
