/*
 * The way into the kernel, and out of it: exceptions, device interrupts and system calls.
 *
 * Each stub completes what the processor pushed to a struct trap_frame (trap.h), with interrupts
 * off. What a program had in its registers comes to lie in its struct process, where the TSS points;
 * then the kernel's stack is taken, which is always empty by then. The kernel itself is interrupted
 * only where it waits, and its frame lies on that stack.
 */
#include "kernel/cpu/cpu.h"

/* The exceptions for which the processor pushes an error code itself (SDM 3, table 6-1). */
#define PUSHES_ERROR 0x60227d00
#define FRAME_CS     60(%esp)

    .text
    .balign 16
    .globl trap_stubs
trap_stubs:                         /* 16 bytes a vector */
    vector = 0
    .rept   VECTOR_COUNT
    .if vector >= 32 || !((PUSHES_ERROR >> (vector & 31)) & 1)
    pushl   $0
    .endif
    pushl   $vector
    jmp     trap_common
    .balign 16
    vector = vector + 1
    .endr

trap_common:
    pushal
    pushl   %ds
    pushl   %es
    pushl   %fs
    pushl   %gs
    cld
    movl    $KERNEL_DATA, %eax      /* a program may have left anything there, even null */
    movl    %eax, %ds
    movl    %eax, %es
    movl    %esp, %eax
    testb   $3, FRAME_CS
    jz      1f
    movl    $kernel_stack_top, %esp
    xorl    %ebp, %ebp              /* the last frame of every backtrace */
1:  pushl   %eax
    call    trap_handle
    pushl   %eax
    pushl   $0                      /* as if called by nobody */
    .globl trap_return
trap_return:
    movl    4(%esp), %esp
    popl    %gs
    popl    %fs
    popl    %es
    popl    %ds
    popal
    addl    $8, %esp                /* vector and error code */
    iret

    /* Below it lies a page that is mapped nowhere: see kernel.ld. */
    .section .stack, "aw", @nobits
    .skip   4096
    .globl kernel_stack_top
kernel_stack_top:
