/*
 * The 256 interrupt entries. Each makes the same frame on the stack, struct interrupt_frame (interrupt.h), and calls
 * interrupt_dispatch with it.
 *
 * In:   the CPU's own frame; an error code on top for vectors 8, 10-14, 17, 21, 29, 30
 *       (SDM volume 3, table 6-1)
 * Out:  iretq with all registers from the frame, which handlers may change
 */
#include "common/x86.h"

#define SYSTEM_CALL   0x80
#define CPU_USER_SP   8         /* struct cpu */
#define CPU_KERNEL_SP 16
#define CPU_SCRATCH   24
#define CPU_ENTRY_SP  32
#define CPU_ROOT      40
#define CPU_USER_ROOT 48
#define USER_DATA     0x23      /* interrupt/gdt.h */
#define USER_CODE     0x2b

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
        .set    special, 0
        .irp    one, 2, 8, 18
        .if     \number == \one
        .set    special, 1
        .endif
        .endr
        .if     special
        jmp     paranoid
        .elseif \number == SYSTEM_CALL
        jmp     system_call
        .else
        jmp     common
        .endif
        .endm

        .altmacro
        .set    n, 0
        .rept   256
        vector  %n
        .set    n, n + 1
        .endr

        .macro  push_all
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
        .endm

        .macro  pop_all
        popq    %r15
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
        .endm

/* A program may have set AC, which disables SMAP; gates do not clear it. */
        .macro  clear_flags
        pushq   $X86_FLAGS_1
        popfq
        .endm

/*
 * With KPTI=1, programs run on page tables without the kernel's memory (memory/space.h). Each entry and exit changes
 * the tables while GS is the kernel's. As no register is free, RAX is saved in struct cpu. Interrupts are off.
 */
        .macro  change_tables root
        .if     HLEOS_KPTI
        movq    %rax, %gs:CPU_SCRATCH
        movq    %gs:\root, %rax
        movq    %rax, %cr3
        movq    %gs:CPU_SCRATCH, %rax
        .endif
        .endm

/* These tables do not map thread stacks: the seven words on the entry stack are copied to the thread's stack. */
        .macro  enter_kernel
        change_tables CPU_ROOT
        .if     HLEOS_KPTI
        leaq    7 * 8(%rsp), %rax
        cmpq    %gs:CPU_ENTRY_SP, %rax
        jne     1f                      /* device interrupts have their own stack */
        movq    %gs:CPU_KERNEL_SP, %rsp
        .irp    word, 1, 2, 3, 4, 5, 6, 7
        pushq   -8 * \word(%rax)
        .endr
1:
        movq    %gs:CPU_SCRATCH, %rax
        .endif
        .endm

/* IRETQ reads its five words after the change of tables. */
        .macro  leave_kernel
        .if     HLEOS_KPTI
        movq    %rax, %gs:CPU_SCRATCH
        leaq    5 * 8(%rsp), %rax
        movq    %gs:CPU_ENTRY_SP, %rsp
        .irp    word, 1, 2, 3, 4, 5
        pushq   -8 * \word(%rax)
        .endr
        movq    %gs:CPU_SCRATCH, %rax
        change_tables CPU_USER_ROOT
        .endif
        .endm

/* The CS of a frame says where it came from and returns to: for a program, GS is exchanged. */
common:
        testb   $3, 24(%rsp)
        jz      2f
        swapgs
        enter_kernel
        clear_flags
2:      cld
        push_all
        movq    %rsp, %rdi              /* the CPU aligned the stack; 22 words keep the alignment */
        call    interrupt_dispatch
return: pop_all
        addq    $16, %rsp               /* vector and error code */
        testb   $3, 8(%rsp)
        jz      3f
        leave_kernel
        swapgs
3:      iretq

/* NMI, double fault and machine check may come at any time, also between a program's entry and swapgs. So the value of
 * the GS base is checked: the kernel's is in the upper half. */
paranoid:
        cld
        push_all
        movl    $X86_MSR_GS_BASE, %ecx
        rdmsr
        xorl    %ebx, %ebx
        testl   %edx, %edx
        js      3f
        swapgs
        incl    %ebx
3:
        .if     HLEOS_KPTI
        movq    %cr3, %r12
        movq    %gs:CPU_ROOT, %rax
        testq   %rax, %rax              /* no program has run yet: nothing to change */
        jz      5f
        movq    %rax, %cr3
5:
        .endif
        movq    %rsp, %rdi
        call    interrupt_dispatch
        .if     HLEOS_KPTI
        movq    %r12, %cr3
        .endif
        testl   %ebx, %ebx
        jz      4f
        swapgs
4:      pop_all
        addq    $16, %rsp
        iretq

/* int $0x80, which comes only from programs: its gate is for ring 3. */
system_call:
        swapgs
        enter_kernel
        clear_flags
        push_all
        xorl    %ebp, %ebp              /* the backtrace ends here */
        movq    %rsp, %rdi
        sti
        call    handler_system_call
        cli
        jmp     return

/*
 * SYSCALL. In: RCX and R11 = the program's RIP and flags, RSP its own, interrupts off. Makes the same frame on the
 * kernel stack as an interrupt, and returns by SYSRET. SYSRET needs a canonical RIP: no program has the last page of
 * its half (memory/space.h).
 */
        .globl  asm_system_call
asm_system_call:
        swapgs
        change_tables CPU_ROOT
        movq    %rsp, %gs:CPU_USER_SP
        movq    %gs:CPU_KERNEL_SP, %rsp
        pushq   $USER_DATA
        pushq   %gs:CPU_USER_SP
        pushq   %r11
        pushq   $USER_CODE
        pushq   %rcx
        pushq   $0
        pushq   $SYSTEM_CALL
        push_all
        xorl    %ebp, %ebp
        movq    %rsp, %rdi
        sti
        call    handler_system_call
        cli
        pop_all
        addq    $16, %rsp
        popq    %rcx
        addq    $8, %rsp
        popq    %r11
        popq    %rsp
        change_tables CPU_USER_ROOT
        swapgs
        sysretq

/*
 * void asm_enter_program(const struct interrupt_frame *frame)
 * Enters ring 3 with the registers of the frame; RSP is set to the frame. Does not return.
 */
        .globl  asm_enter_program
asm_enter_program:
        cli
        movq    %rdi, %rsp
        jmp     return

/*
 * A frame returns here if its thread must be preempted (interrupt/handler.c).
 * In:   interrupts off, RSP = a copy of the frame on the thread's own stack
 * Out:  iretq with that copy, when the thread runs again
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

/* The address of each entry, for the IDT. */
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
