/*
 * A processor's first instructions, in real mode. smp.c copies them to a page below 1 MB and fills in the words at the
 * end; the code is independent of that page.
 *
 * In:   CS:IP = the page:0, interrupts off, all else as after INIT (SDM volume 3, table 9-1)
 * Out:  smp_begin(cpu), on that processor's stack, with the kernel's own tables
 */
#include "common/x86.h"

#define CODE           0x08
#define DATA           0x10
#define CPU_FIRST_SP   16      /* struct cpu: kernel_sp */

        .section .rodata
        .balign 16
        .globl  smp_trampoline, smp_trampoline_words, smp_trampoline_end
        .code16
smp_trampoline:
        cli
        cld
        movw    %cs, %ax
        movw    %ax, %ds
        movl    $X86_CR4_PAE, %eax
        movl    %eax, %cr4
        movl    first_root - smp_trampoline, %eax
        movl    %eax, %cr3
        movl    $X86_MSR_EFER, %ecx
        movl    efer - smp_trampoline, %eax
        xorl    %edx, %edx
        wrmsr
        lgdtl   table - smp_trampoline
        movl    $(X86_CR0_PG | X86_CR0_WP | X86_CR0_NE | X86_CR0_MP | X86_CR0_PE), %eax
        movl    %eax, %cr0              /* to long mode in one step, which 9.8.5 allows */
        ljmpl   *(far - smp_trampoline)

        .code64
long_mode:
        movl    $DATA, %eax
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %ss
        xorl    %edi, %edi
        xchgq   %rdi, cpu(%rip)         /* one processor takes it; a late one finds 0 */
        testq   %rdi, %rdi
        jz      2f
        movq    root(%rip), %rdx
        movq    entry(%rip), %rax
        jmp     *%rax
2:      cli
        hlt
        jmp     2b

/* struct words of smp.c */
        .balign 8
smp_trampoline_words:
gdt:    .quad   0, 0x00af9b000000ffff, 0x00cf93000000ffff
cpu:    .quad   0
root:   .quad   0
entry:  .quad   0
first_root:
        .long   0
efer:   .long   0
far:    .long   long_mode - smp_trampoline      /* the page's address is added */
        .word   CODE
table:  .word   3 * 8 - 1
        .long   gdt - smp_trampoline            /* the same */
smp_trampoline_end:

        .text
        .globl  smp_enter
smp_enter:
        movq    %rdx, %cr3
        movq    CPU_FIRST_SP(%rdi), %rsp
        xorl    %ebp, %ebp                      /* the backtrace ends here */
        call    smp_begin                       /* does not return */
        ud2
