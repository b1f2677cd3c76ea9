/*
 * Echoes the UART's input until a `q`. It polls, and ignores Ctrl-D, so it runs on while another
 * guest has the input.
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
    cmp $'q', %al
    je 2f
    cmp $CTRL_D, %al
    je poll
    out %al, %dx
    jmp poll
2:  exit
