/*
 * The first common issue: registers in nested loops. Both loops count in CX; the inner one leaves 0
 * there, LOOP makes that 0xffff, and the outer loop never ends. (Cure: push %cx and pop %cx around
 * the inner loop, or count the outer one in another register.)
 *
 * Mode: real
 * Options: --max-exits 1000
 * Status: 124
 * Says: stopped after 1000 exits | endless loop of 5 instructions, hot address | <inner>
 * QEMU: no, nothing fails
 */
#include "../broken.inc"
    .code16
    mov $3, %cx
outer:
    mov $8, %cx
inner:
    mov $'*', %bl
    mov $HC_PORT, %dx
    mov $HC_PUTCHAR, %al
    out %al, %dx
    loop inner
    loop outer
    exit
