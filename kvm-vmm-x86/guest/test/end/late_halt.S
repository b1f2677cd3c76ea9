/* Computes for a while without an exit, then halts for good. Mode: long */
#include "../../guest.inc"
    .code64
    .globl _start
_start:
    rdtsc
    shl $32, %rdx
    or %rdx, %rax
    mov %rax, %rbx
    movabs $2000000000, %rcx        /* cycles: longer than the watcher's first checks */
1:  rdtsc
    shl $32, %rdx
    or %rdx, %rax
    sub %rbx, %rax
    cmp %rcx, %rax
    jb 1b
    cli
2:  hlt
    jmp 2b
