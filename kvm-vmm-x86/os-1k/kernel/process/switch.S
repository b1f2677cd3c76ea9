/*
 * scheduler_switch(save_stack_pointer, stack_pointer, space): the one place where a process stops
 * and another goes on. Saves what a C caller expects to find again (struct scheduler_frame), and
 * returns on the other stack, in the other address space. The kernel is mapped alike in both.
 */
    .text
    .globl scheduler_switch
scheduler_switch:
    movl    4(%esp), %eax
    movl    8(%esp), %edx
    movl    12(%esp), %ecx
    pushl   %ebp
    pushl   %ebx
    pushl   %esi
    pushl   %edi
    movl    %esp, (%eax)
    movl    %edx, %esp
    movl    %ecx, %cr3
    popl    %edi
    popl    %esi
    popl    %ebx
    popl    %ebp
    ret
