/* Changes every cell of the text page without end. Needs -m 1M. */
#include "../../guest.inc"
    .code16
    mov $0xb800, %ax
    mov %ax, %es
again:
    xor %di, %di
    mov $2000, %cx
1:  addw $0x0101, %es:(%di)
    add $2, %di
    loop 1b
    jmp again
