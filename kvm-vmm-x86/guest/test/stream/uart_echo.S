/*
 * Echoes the UART's input, polling its line status, until Ctrl-D, which is the end of piped input
 * there.
 */
#include "../../guest.inc"
    .code16
poll:
    mov $UART_LSR, %dx
1:  in %dx, %al
    test $LSR_READY, %al
    jz 1b
    mov $UART, %dx
    in %dx, %al
    cmp $CTRL_D, %al
    je 3f
    mov %al, %cl
    mov $UART_LSR, %dx
2:  in %dx, %al
    test $LSR_VACANT, %al
    jz 2b
    mov %cl, %al
    mov $UART, %dx
    out %al, %dx
    jmp poll
3:  exit
