/*
 * Mode: long. For measuring a reset: reports that it is ready (hypercall 0x20), writes a word to
 * each of RCX pages from 2 MB on, and reports that it is done (hypercall 0x21).
 */
#include "../../guest.inc"
    .code64
    mov $50, %ecx
    hypercall 0x20
    mov $0x200000, %edi
1:  incq (%rdi)
    add $0x1000, %rdi
    dec %ecx
    jnz 1b
    hypercall 0x21
    exit
