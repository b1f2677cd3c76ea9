/* Where every program begins. */
    .text
    .globl start
start:
    xorl    %ebp, %ebp
    call    start_main              /* does not return */
