/* A kernel with only a PVH entry: prints each module's command line and content. Mode: multiboot */
    .section .pvh, "a", @note
    .long 4, 4, 18
    .asciz "Xen"
    .long _start
    .text
#include "foreign.inc"
    cmpl $0x336ec578, (%ebx)
    je 1f
    finish 1
1:  mov 12(%ebx), %ecx              /* how many */
    mov 16(%ebx), %edi
    jecxz done
1:  mov 16(%edi), %esi
    test %esi, %esi
    jz 2f
    call puts
2:  say ": "
    mov (%edi), %esi
    mov %esi, %ebp
    add 8(%edi), %ebp
3:  cmp %ebp, %esi
    jae 4f
    lodsb
    mov $0x3f8, %dx
    out %al, %dx
    jmp 3b
4:  say "\n"
    add $32, %edi
    dec %ecx
    jnz 1b
done:
    finish
