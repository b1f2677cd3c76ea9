/*
 * Waits for a key; meanwhile the test truncates the file behind its memory. Then `r` reads a page
 * that is lost, `w` makes a device read it; any other key ends it.
 */
#include "../../guest.inc"
    .code16
    putchar $'?'
    putchar $'\n'
    getchar
    cmp $'r', %al
    je 1f
    cmp $'w', %al
    jne 2f
    mov $0x8000, %ebx
    mov $4, %ecx
    hypercall HC_WRITE
    exit
1:  mov 0x8000, %al
2:  exit
