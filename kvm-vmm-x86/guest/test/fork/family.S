/*
 * Makes five copies of itself, which print their numbers; the third ends with status 3, the fourth
 * crashes. A copy cannot make copies, and prints if it could.
 */
#include "../../guest.inc"
    .code16
    mov $'1', %cl
again:
    hypercall HC_FORK
    jc no_copy
    test %eax, %eax
    jz copy
    inc %cl
    cmp $'5', %cl
    jbe again
    print origin
    exit

copy:
    mov %cl, number
    hypercall HC_FORK
    jnc no_copy
    mov %cs, %ax            /* in one call, since others print too */
    movzwl %ax, %eax
    shl $4, %eax
    add $line, %eax
    mov %eax, %ebx
    mov $length, %ecx
    hypercall HC_WRITE
    cmpb $'3', number
    je third
    cmpb $'4', number
    je fourth
    exit
third:
    debug_exit 1
fourth:
    hypercall 0x77
no_copy:
    print none
    debug_exit 2

include_print

origin:
    .asciz "origin\n"
none:
    .asciz "no copy, or one of a copy\n"
line:
    .ascii "copy "
number:
    .ascii "0\n"
    .set length, . - line
