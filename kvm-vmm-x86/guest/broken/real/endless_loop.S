/*
 * Waits for a flag that an interrupt should set, but there is no interrupt: the loop makes no
 * exits.
 *
 * Mode: real
 * Options: --timeout 1
 * Status: 124
 * Says: stopped by --timeout | endless loop of 2 instructions, hot address | <wait>
 * QEMU: no, nothing fails
 */
#include "../broken.inc"
    .code16
    putchar $'.'
wait:
    cmpb $0, flag
    je wait
    exit
flag:
    .byte 0
