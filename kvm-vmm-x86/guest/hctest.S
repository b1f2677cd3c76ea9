/*
 * Every hypercall, one after the other. GETCHAR waits for a key at a terminal; without input (`<
 * /dev/null`) it reports the end of input, and the guest still ends well.
 */
#include "guest.inc"
    .code16
    print putchar_works

    mov $write_works, %ebx  /* a guest-physical address: the segments' base and the offset */
    mov %cs, %ax
    movzwl %ax, %eax
    shl $4, %eax
    add %eax, %ebx
    mov $write_length, %ecx
    hypercall HC_WRITE

    print getchar_asks
    getchar
    jc end_of_input
    mov %al, %bh
    in %dx, %al             /* the older way to get it: reads the same byte again */
    cmp %al, %bh
    jne differ
    mov %al, %cl
    print getchar_works
    putchar %cl
    putchar $'\n'
    jmp leave

differ:
    print getchar_differs
    debug_exit 1

end_of_input:
    print getchar_ends
leave:
    print exit_next
    exit

include_print

putchar_works:
    .asciz "HC_PUTCHAR prints this line.\n"
write_works:
    .ascii "HC_WRITE prints this one at once.\n"
    .set write_length, . - write_works
getchar_asks:
    .asciz "HC_GETCHAR waits for a key: "
getchar_works:
    .asciz "it was "
getchar_differs:
    .asciz "IN does not give the byte that OUT gave.\n"
getchar_ends:
    .asciz "end of input.\n"
exit_next:
    .asciz "HC_EXIT comes next.\n"
