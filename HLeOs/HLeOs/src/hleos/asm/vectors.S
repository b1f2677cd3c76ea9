/*
 * The 256 interrupt entries. Each brings the stack to one shape, struct interrupt_frame
 * (interrupt.h), and calls interrupt_dispatch with it.
 *
 * In:   the CPU's own frame; an error code on top for vectors 8, 10-14, 17, 21, 29, 30
 *       (SDM volume 3, table 6-1)
 * Out:  iretq with every register as the frame has it then: handlers may change the frame
 */
        .text
        .macro  vector number
        .balign 16
vector_\number:
        .set    has_code, 0
        .irp    code, 8, 10, 11, 12, 13, 14, 17, 21, 29, 30
        .if     \number == \code
        .set    has_code, 1
        .endif
        .endr
        .if     has_code == 0
        pushq   $0
        .endif
        pushq   $\number
        jmp     common
        .endm

        .altmacro
        .set    n, 0
        .rept   256
        vector  %n
        .set    n, n + 1
        .endr

common:
        cld
        pushq   %rax
        pushq   %rcx
        pushq   %rdx
        pushq   %rbx
        pushq   %rbp
        pushq   %rsi
        pushq   %rdi
        pushq   %r8
        pushq   %r9
        pushq   %r10
        pushq   %r11
        pushq   %r12
        pushq   %r13
        pushq   %r14
        pushq   %r15
        movq    %rsp, %rdi              /* the CPU aligned the stack; 22 words keep it so */
        movq    %rsp, %rbp
        call    interrupt_dispatch
return: popq    %r15
        popq    %r14
        popq    %r13
        popq    %r12
        popq    %r11
        popq    %r10
        popq    %r9
        popq    %r8
        popq    %rdi
        popq    %rsi
        popq    %rbp
        popq    %rbx
        popq    %rdx
        popq    %rcx
        popq    %rax
        addq    $16, %rsp               /* vector and error code */
        iretq

/*
 * Where a frame returns to whose thread is to be switched away from (interrupt/handler.c).
 * In:   interrupts off, RSP = a copy of the frame on the thread's own stack
 * Out:  as above, by that copy, when the thread's turn comes again
 */
        .globl  handler_switch
handler_switch:
        xorl    %ebp, %ebp
        call    handler_preempt
        jmp     return

/* void asm_load_gdt(const struct x86_table_register *table, code selector, data selector) */
        .globl  asm_load_gdt
asm_load_gdt:
        lgdt    (%rdi)
        movw    %dx, %ds
        movw    %dx, %es
        movw    %dx, %ss
        popq    %rax
        pushq   %rsi
        pushq   %rax
        lretq

/* Where entry number N begins: the IDT is made from it. */
        .section .rodata
        .balign 8
        .globl  vector_table
vector_table:
        .macro  address number
        .quad   vector_\number
        .endm
        .set    n, 0
        .rept   256
        address %n
        .set    n, n + 1
        .endr
