/* Enables the UART's receive interrupt and prints lines there without end; never reads its input.
 */
#include "../../guest.inc"
    .code16
    mov $UART + 1, %dx
    mov $1, %al
    out %al, %dx
    mov $UART, %dx
1:  mov $'x', %al
    out %al, %dx
    mov $'\n', %al
    out %al, %dx
    jmp 1b
