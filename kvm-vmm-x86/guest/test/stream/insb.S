/*
 * Takes 1 MB from the UART by `rep insb`, 16 KB at a time, and prints each piece by one HC_WRITE.
 */
#include "../../guest.inc"
    .code16
    .set PIECE, 0x4000
    .set PIECES, 64
    mov %cs, %ax            /* the buffer's guest-physical address, for HC_WRITE */
    movzwl %ax, %ebx
    shl $4, %ebx
    add $buffer, %ebx
    mov $PIECES, %si
    cld
1:  mov $buffer, %di
    mov $PIECE, %cx
    mov $UART, %dx
    rep insb
    mov $PIECE, %ecx
    hypercall HC_WRITE
    dec %si
    jnz 1b
    exit
    .lcomm buffer, PIECE
