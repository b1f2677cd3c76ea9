/*
 * Mode: long. The guest for tests of `kvm-vmm fuzz`: a parser of small records with deliberate
 * bugs. It asks for an input (HC_FUZZ_INPUT), which begins with the word KVM1, followed by commands
 * of two bytes: 'A' N adds N to a sum, 'J' N jumps N bytes ahead, 'W' N writes a byte at N pages of
 * 16 MB. From N = 4 on that is beyond its RAM of 64 MB. With 'S', and a sum of more than 64, it
 * never ends; 'T' loads an empty interrupt table and divides by zero.
 */
#include "../../guest.inc"
    .set BUFFER, 0x200000
    .set ROOM, 64
    .code64
    mov $BUFFER, %ebx
    mov $ROOM, %ecx
    hypercall HC_FUZZ_INPUT
    cmp $4, %rax            /* bytes of the input */
    jb done
    lea BUFFER(%rax), %rdi  /* its end */
    mov $BUFFER, %esi
    cmpl $0x314d564b, (%rsi)    /* KVM1 */
    jne done
    add $4, %rsi
    xor %ebp, %ebp          /* the sum */

command:
    lea 2(%rsi), %rdx
    cmp %rdi, %rdx
    ja done
    movzbl (%rsi), %eax
    movzbl 1(%rsi), %ecx
    mov %rdx, %rsi
    cmp $'A', %al
    je add
    cmp $'J', %al
    je jump
    cmp $'W', %al
    je write
    cmp $'S', %al
    je spin
    cmp $'T', %al
    je triple
    jmp done

add:
    add %ecx, %ebp
    jmp command
jump:
    add %rcx, %rsi
    jmp command
write:
    shl $24, %rcx
    movb $1, (%rcx)
    jmp command
spin:
    cmp $64, %ebp
    jbe command
1:  jmp 1b
triple:
    cmp $200, %ebp
    jbe command
    lidt nothing(%rip)
    xor %ecx, %ecx
    div %ecx
done:
    hypercall HC_FUZZ_DONE
    exit

    .section .rodata
nothing:
    .word 0
    .quad 0
