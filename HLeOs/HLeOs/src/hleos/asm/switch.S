/*
 * Switches from one thread's stack to another's.
 *
 * void thread_switch_stacks(uintptr_t *save, uintptr_t load)
 * In:   interrupts off, the scheduler's lock held
 * Out:  returns in the thread whose saved stack pointer is `load`; the caller's goes to *save.
 *       The stack has only the callee-saved registers; the caller saves the FPU state.
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
 * A new thread's first switch returns here: its stack contains only six zeroed registers and this address (thread.c).
 */
        .globl  thread_first_return
thread_first_return:
        xorl    %ebp, %ebp              /* the backtrace ends here */
        call    thread_begin            /* does not return */
        ud2
