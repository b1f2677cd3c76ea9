/*
 * The ways into the kernel, and out of it: exceptions, device interrupts and system calls.
 *
 * Each stub makes the stack look like struct trap_frame (trap.h), whatever the processor pushed,
 * and calls trap_handle(frame) with interrupts off. trap_return undoes exactly that; a new process
 * begins its life there, on a frame written by hand.
 */
#include "kernel/cpu/descriptors.h"

/* The exceptions for which the processor pushes an error code itself (SDM 3, table 6-1). */
#define PUSHES_ERROR 0x60227d00

    .text
    .altmacro
.macro trap_stub vector
.Ltrap_\vector:
    .if !((\vector < 32) && (PUSHES_ERROR >> \vector) & 1)
    pushl   $0
    .endif
    pushl   $\vector
    jmp     trap_common
.endm

.macro trap_address vector
    .long   .Ltrap_\vector
.endm

    .set    vector, 0
    .rept   VECTOR_COUNT
    trap_stub %vector
    .set    vector, vector + 1
    .endr

    .globl trap_system_call
trap_system_call:
    pushl   $0
    pushl   $VECTOR_SYSTEM_CALL
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
    pushl   %esp
    call    trap_handle
    addl    $4, %esp
    .globl trap_return
trap_return:
    popl    %gs
    popl    %fs
    popl    %es
    popl    %ds
    popal
    addl    $8, %esp                /* vector and error code */
    iret

    .section .rodata
    .balign 4
    .globl trap_stubs
trap_stubs:
    .set    vector, 0
    .rept   VECTOR_COUNT
    trap_address %vector
    .set    vector, vector + 1
    .endr
