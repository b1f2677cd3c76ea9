/*
 * Mode: long. Hello from 64 bits: an ELF64 file, entered in long mode with all RAM mapped to
 * itself.
 */
#include "guest.inc"
    .code64
    lea greeting(%rip), %rsi
1:  mov (%rsi), %bl
    test %bl, %bl
    jz 2f
    putchar
    inc %rsi
    jmp 1b
2:  exit

    .section .rodata
greeting:
    .asciz "Hello, KVM, in 64 bits!\n"
