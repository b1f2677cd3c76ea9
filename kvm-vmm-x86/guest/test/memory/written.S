/* Writes known pages, and takes the log of them in between: tests/vmm/wrapped/pages.c. */
#include "../../guest.inc"
    .code16
.macro order number
    mov $\number, %al
    out %al, $0xd1
.endm
    movw $0x1111, 0x6000     /* before the log begins */
    movb 0x9000, %al         /* a page that KVM sees first while it logs may count as written */
    order 0                  /* begin */
    movb $0x5a, 0x8000
    movw $0x2222, 0xafff     /* two pages at once */
    movb 0x9000, %al         /* read again: not in the log */
    order 1                  /* take */
    order 1                  /* nothing since */
    mov $0x3000, %bx
    mov %bx, %es
    movb $1, %es:0
    order 2                  /* the VMM writes 2 bytes at 0x13fff, then: take */
    order 3                  /* what another process sees of the page */
    order 4                  /* end */
    movb $1, %es:0x1000
    order 0                  /* begin once more: empty */
    order 1
    mov $0x2000, %bx
    mov %bx, %es
    mov %es:0, %bl           /* what the page of a file has there */
    mov %bl, %al
    and $0x3f, %al
    out %al, $0xf4
