/*
 * Mode: protected. Prints PMODE when the machine is what `-p` promises: 32-bit flat segments,
 * protection and paging on, and the same RAM at 0 and at 0x80000000. A failed check ends it with a
 * status instead: (number of the check << 1) | 1.
 *
 * Loaded at 0x1000, entered at 0x80001000: Intel SDM volume 3, sections 2.5 (CR0) and 4.3 (32-bit
 * paging).
 */
#include "guest.inc"
    .code32
    .set CR0_PE, 1 << 0
    .set CR0_PG, 1 << 31
    .set HIGH_HALF, 0x80000000

    call 1f                 /* check 1: this code runs where it was linked */
1:  pop %eax
    cmp $1b, %eax
    jne wrong_1

    mov %cr0, %eax          /* check 2: protected, paging */
    and $(CR0_PE | CR0_PG), %eax
    cmp $(CR0_PE | CR0_PG), %eax
    jne wrong_2

    movl $0x12345678, mark  /* check 3: a store above is seen below, and the other way round */
    cmpl $0x12345678, mark - HIGH_HALF
    jne wrong_3
    movl $0x9abcdef0, mark - HIGH_HALF
    cmpl $0x9abcdef0, mark
    jne wrong_3

    push $0x55aa55aa        /* check 4: a stack of 32 bits */
    pop %eax
    cmp $0x55aa55aa, %eax
    jne wrong_4

    mov $message, %esi
2:  mov (%esi), %bl
    test %bl, %bl
    jz 3f
    putchar
    inc %esi
    jmp 2b
3:  exit

wrong_1:
    debug_exit 1
wrong_2:
    debug_exit 2
wrong_3:
    debug_exit 3
wrong_4:
    debug_exit 4

message:
    .asciz "PMODE\n"
    .balign 4
mark:
    .long 0
