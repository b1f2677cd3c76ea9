/*
 * The ways into the kernel, which are its start and the traps, and the way out to ring 3.
 *
 * A trap may be an exception, a device's interrupt or a system call. Interrupts are off. A
 * program's registers are pushed into its struct process, where the TSS points; then the code
 * switches to the kernel's stack, which is always empty at this point. The kernel itself is
 * interrupted only where it waits; then the frame is on that stack.
 *
 * Segment registers are not part of a program's state: all segments are flat, and a value that a
 * program loads, even null, lasts only until its next trap.
 */
#include "kernel/cpu/cpu.h"

/* The exceptions for which the processor pushes an error code itself (SDM 3, table 6-1). */
#define PUSHES_ERROR 0x60227d00
#define FRAME_CS     44(%esp)

/*
 * The first byte of kernel.bin.
 * In:  paging on, with physical memory visible both at 0 and at 0x80000000; flat segments;
 *      EAX = 0x2badb002 and EBX = physical address of the multiboot information. Any stack.
 */
    .section .entry, "ax"
    .globl kernel_entry
kernel_entry:
    cli
    cld
    movl    %eax, %edx
    xorl    %eax, %eax
    movl    $bss_begin, %edi
    movl    $bss_end, %ecx
    subl    %edi, %ecx
    rep stosb
    lgdt    descriptors_gdt
    ljmp    $KERNEL_CODE, $1f
1:  movl    $KERNEL_STACK, %eax
    movl    %eax, %ss
    movl    $kernel_stack_top, %esp
    call    load_flat_segments
    xorl    %ebp, %ebp              /* the last frame of every backtrace */
    pushl   %ebx
    pushl   %edx
    call    kernel_main
    jmp     trap_return

    .text
load_flat_segments:
    movl    $PROGRAM_DATA, %eax
    movl    %eax, %ds
    movl    %eax, %es
    movl    %eax, %fs
    movl    %eax, %gs
    ret

    .balign 16
    .globl trap_stubs
trap_stubs:                         /* 16 bytes for each vector */
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

trap_common:                        /* completes a struct trap_frame */
    pushal
    cld
    movl    %esp, %ebx
    testb   $3, FRAME_CS
    jz      1f
    movl    $kernel_stack_top, %esp
    xorl    %ebp, %ebp
1:  call    load_flat_segments
    pushl   %ebx
    call    trap_handle
trap_return:                        /* EAX: the frame with the registers to load */
    movl    %eax, %esp
    popal
    addl    $8, %esp                /* vector and error code */
    iret

    /* The page below it is not mapped: see kernel.ld. */
    .section .stack, "aw", @nobits
    .skip   4096
    .globl kernel_stack_top
kernel_stack_top:
