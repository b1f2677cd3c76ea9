/*
 * The same above 4 GB, where the second slot is. Mode: long. The first slot also has the page
 * tables, which the processor writes to.
 */
#include "../../guest.inc"
    .code64
.macro order number
    mov $\number, %al
    out %al, $0xd1
.endm
    .globl _start
_start:
    order 0
    mov $0x100003fff, %rax
    movw $0x2222, (%rax)
    movb $1, 0x300000
    order 1
    mov $0x100100000, %rbx
    movb $1, (%rbx)
    order 1
    order 1
    exit
