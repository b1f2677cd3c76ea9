/*
 * Changing stacks: the heart of the threads.
 *
 * void thread_switch_stacks(uintptr_t *save, uintptr_t load)
 * In:   interrupts off, the scheduler's lock held
 * Out:  returns in the thread whose saved stack pointer is `load`; the caller's goes to *save.
 *       Only what the C calling convention keeps is on the stack; FPU state is the caller's matter.
 */
        .text
        .globl  thread_switch_stacks
thread_switch_stacks:
        pushq   %rbp
        pushq   %rbx
        pushq   %r12
        pushq   %r13
        pushq   %r14
        pushq   %r15
        movq    %rsp, (%rdi)
        movq    %rsi, %rsp
        popq    %r15
        popq    %r14
        popq    %r13
        popq    %r12
        popq    %rbx
        popq    %rbp
        ret

/*
 * Where a new thread's first switch returns to: six zeroed registers and this address are all that
 * its stack holds (thread.c).
 */
        .globl  thread_first_return
thread_first_return:
        xorl    %ebp, %ebp              /* the backtrace ends here */
        call    thread_begin            /* does not return */
        ud2
