/* Prints the alphabet on the UART by one `rep outsb`. */
#include "../../guest.inc"
    .code16
    mov $text, %si
    mov $length, %cx
    mov $UART, %dx
    cld
    rep outsb
    exit
text:
    .ascii "abcdefghijklmnopqrstuvwxyz\n"
    .set length, . - text
