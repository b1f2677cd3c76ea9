/*
 * Mode: long. A guest of more than 2 MB that checks the machine it finds: every word of its image,
 * its zeroed part, a deep stack, and then the image again, since page tables or a stack that
 * overlap it would show now. Each check prints a line; a failed one ends the guest with (number of
 * the check << 1) | 1.
 */
#include "guest.inc"
    .code64
    .set WORDS, 0x50000         /* of eight bytes: 2.5 MB */
    .set FACTOR, 0x9e3779b97f4a7c15
    .set ZEROS, 0x40000         /* of eight bytes: 2 MB */
    .set DEPTH, 0x4000          /* pushes: 128 KB of stack */
    .set EFER, 0xc0000080
    .set EFER_LMA, 1 << 10
    .set CR0_PE_PG, 1 << 31 | 1 << 0
    .set CR4_PAE, 1 << 5

    call check_mode
    call check_image
    call check_zeros
    call check_stack
    call check_image
    exit

/* Prints the zero-ended string at RSI. */
print:
    mov (%rsi), %bl
    test %bl, %bl
    jz 1f
    putchar
    inc %rsi
    jmp print
1:  ret

.macro say text
    lea \text(%rip), %rsi
    call print
.endm

/* Long mode is active: Intel SDM volume 3, section 2.2.1. */
check_mode:
    mov %cr0, %rax
    and $CR0_PE_PG, %eax
    cmp $CR0_PE_PG, %eax
    jne 1f
    mov %cr4, %rax
    test $CR4_PAE, %eax
    jz 1f
    mov $EFER, %ecx
    rdmsr
    test $EFER_LMA, %eax
    jz 1f
    say mode_is_right
    ret
1:  say mode_is_wrong
    debug_exit 1

/* Word N of the pattern is N * FACTOR. */
check_image:
    lea pattern(%rip), %rdi
    movabs $FACTOR, %r8
    xor %eax, %eax
    mov $WORDS, %ecx
1:  cmp %rax, (%rdi)
    jne 2f
    add %r8, %rax
    add $8, %rdi
    dec %ecx
    jnz 1b
    say image_is_right
    ret
2:  say image_is_wrong
    debug_exit 2

check_zeros:
    lea zeros(%rip), %rdi
    mov $ZEROS, %ecx
    xor %eax, %eax
    cld
    repe scasq
    jne 1f
    say zeros_are_right
    ret
1:  say zeros_are_wrong
    debug_exit 3

check_stack:
    mov $DEPTH, %ecx
1:  push %rcx
    dec %ecx
    jnz 1b
2:  inc %ecx
    pop %rax
    cmp %rcx, %rax
    jne 3f
    cmp $DEPTH, %ecx
    jb 2b
    say stack_is_right
    ret
3:  say stack_is_wrong
    debug_exit 4

    .section .rodata
mode_is_right:
    .asciz "mode: 64 bits, paging on\n"
mode_is_wrong:
    .asciz "mode: not long mode\n"
image_is_right:
    .asciz "image: every word in place\n"
image_is_wrong:
    .asciz "image: a word is wrong\n"
zeros_are_right:
    .asciz "zeros: all zero\n"
zeros_are_wrong:
    .asciz "zeros: something is there\n"
stack_is_right:
    .asciz "stack: holds what was pushed\n"
stack_is_wrong:
    .asciz "stack: not what was pushed\n"

    .data
    .balign 8
pattern:
    .set word, 0
    .rept WORDS
    .quad word
    .set word, (word + FACTOR) & 0xffffffffffffffff
    .endr

    .lcomm zeros, 8 * ZEROS
