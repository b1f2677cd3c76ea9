/*
 * Mode: long. Code that saves flags, for breakpoints at it: reports their addresses (hypercall
 * 0x20: PUSHF in RBX, INT in RCX, SYSCALL in RSI, the interrupt's handler in RDI), then the saved
 * flags that it has found (hypercall 0x21: R8, R9 and R10, and a sum of the events in R12).
 */
#include "../../guest.inc"
    .code64
    .set VECTOR, 0x80
    .set EFER, 0xc0000080       /* MSRs (Intel SDM volume 4, table 2-2) */
    .set STAR, 0xc0000081
    .set LSTAR, 0xc0000082
    .set SCE, 1

    long_gate VECTOR, on_interrupt
    mov $EFER, %ecx
    rdmsr
    or $SCE, %eax
    wrmsr
    mov $STAR, %ecx
    xor %eax, %eax
    mov $8, %edx                /* CS, and SS behind it */
    wrmsr
    mov $LSTAR, %ecx
    lea on_call(%rip), %rax
    xor %edx, %edx
    wrmsr
    xor %r12d, %r12d
    lea at_pushf(%rip), %rbx
    lea at_int(%rip), %rcx
    lea at_syscall(%rip), %rsi
    lea on_interrupt(%rip), %rdi
    hypercall 0x20
at_pushf:
    pushfq
    pop %r8
at_int:
    int $VECTOR
    inc %r12
at_syscall:
    syscall
    inc %r12
    hypercall 0x21
    exit

on_interrupt:
    mov 16(%rsp), %r9           /* above RIP and CS */
    add $16, %r12
    iretq
on_call:
    mov %r11, %r10
    add $256, %r12
    jmp *%rcx

    .data
    .balign 16
idtr:   .word 16 * 256 - 1
        .quad idt

    .bss
    .balign 16
idt:    .skip 16 * 256
