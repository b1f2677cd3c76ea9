/*
 * Reads all kinds of input: prints the seconds of the clock, then its input byte by byte, until the
 * end of input. A `c` makes it crash; a `t` reads the time-stamp counter, which is not recorded.
 */
#include "../../guest.inc"
    .code16
    .set RTC_INDEX, 0x70
    .set SCRATCH_PORT, 0x80

    xor %al, %al            /* register 0: seconds */
    out %al, $RTC_INDEX
    in $(RTC_INDEX + 1), %al
    mov %al, %cl
    shr $4, %al
    add $'0', %al
    putchar %al
    mov %cl, %al
    and $0xf, %al
    add $'0', %al
    putchar %al
    putchar $'\n'
next:
    getchar
    jc done
    mov %al, %cl
    incw count
    putchar %cl
    cmp $'c', %cl
    je crash
    cmp $'t', %cl
    jne next
    rdtsc
    out %eax, $SCRATCH_PORT
    jmp next
crash:
    hypercall 0x77
done:
    exit

count:
    .word 0
