/*
 * The kernel's first instructions, and the first byte of kernel.bin.
 *
 * In:  paging on, with physical memory visible both at 0 and at 0x80000000; flat segments;
 *      EAX = 0x2badb002 and EBX = physical address of the multiboot information. Any stack.
 * Out: never returns: calls kernel_main(EAX, EBX) on the kernel's stack, with .bss cleared.
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
    shrl    $2, %ecx
    rep stosl
    movl    $kernel_stack_top, %esp
    xorl    %ebp, %ebp              /* the last frame of every backtrace */
    pushl   %ebx
    pushl   %edx
    call    kernel_main
