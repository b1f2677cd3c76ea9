/*
 * Writes other code over a function, calls it, writes the function's own code there again and calls
 * it, three times, with no exit between: a breakpoint there must not rely on a trap.
 */
#include "../../guest.inc"
    .code16
    .set SIZE, 8

    push %ds
    pop %es
    mov $3, %bp
round:
    call spot
    putchar $'.'
    mov $other, %si
    call copy
    call spot
    mov $own, %si
    call copy
    call spot
    dec %bp
    jnz round
    putchar $'\n'
finish:
    exit

copy:
    mov $spot, %di
    mov $SIZE, %cx
    cld
    rep movsb
    ret

    .balign 8
spot:
    incw count
    ret
    .balign 8
own:
    incw count
    ret
    .balign 8
other:
    addw $16, count
    ret
    .balign 8
count:
    .word 0
