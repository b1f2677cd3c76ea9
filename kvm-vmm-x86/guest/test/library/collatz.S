/*
 * Mode: long. For kvm-vmm-x86/example/grade.c: asks for a number (hypercall 0x20, which answers in
 * RDI), counts its Collatz steps to 1 (n / 2 if n is even, otherwise 3n + 1), and returns them in
 * RBX (hypercall 0x21). With 0 it never ends.
 */
#include "../../guest.inc"
    .code64
    hypercall 0x20
    xor %ebx, %ebx
1:  cmp $1, %rdi
    je 3f
    inc %rbx
    test $1, %dil
    jnz 2f
    shr %rdi
    jmp 1b
2:  lea 1(%rdi, %rdi, 2), %rdi
    jmp 1b
3:  hypercall 0x21
    exit
