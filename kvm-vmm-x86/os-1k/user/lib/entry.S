/*
 * Where every program begins. The kernel left the address of the command line on top of the stack.
 */
    .text
    .globl start
start:
    xorl    %ebp, %ebp
    call    start_main              /* its argument is already in place, it does not return */
