/*
 * Mode: long. A guest for debuggers: a loop with a function, a variable that it writes, one that it
 * only reads, a software interrupt with its handler, and flags on the stack. It runs until a
 * debugger sets `stop`, then ends well. The guest must not notice single-stepping by the trap flag:
 * code that finds the flag in saved flags ends the guest with (number << 1) | 1, 1 for PUSHF and 2
 * for the interrupt.
 */
#include "kvm-vmm-x86/guest/guest.inc"
    .code64
    .set VECTOR, 0x80
    .set TF_BYTE, 1             /* the byte of the flags whose bit 0 is the trap flag */

    long_gate VECTOR, on_interrupt

    .global rounds
rounds:
    call bump
    mov constant(%rip), %rbx
    pushfq
    testb $1, TF_BYTE(%rsp)
    jnz 1f
    popfq
    int $VECTOR
    cmpl $0, stop(%rip)
    je rounds
    exit
1:  debug_exit 1

    .global bump
bump:
    push %rbp
    mov %rsp, %rbp
    incq counter(%rip)
    pop %rbp
    ret

    .global on_interrupt
on_interrupt:
    testb $1, 16 + TF_BYTE(%rsp) /* above RIP and CS */
    jnz 1f
    incq interrupts(%rip)
    iretq
1:  debug_exit 2

    .data
    .global counter, interrupts, constant, stop
    .balign 16
counter:    .quad 0
interrupts: .quad 0
constant:   .quad 0x1122334455667788
stop:       .long 0
idtr:       .word 16 * 256 - 1
            .quad idt

    .bss
    .balign 16
idt:        .skip 16 * 256
