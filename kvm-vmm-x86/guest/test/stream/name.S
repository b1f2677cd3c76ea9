/* Prints a prompt without a newline, reads a line, and greets. For tests at a terminal. */
#include "../../guest.inc"
    .code16
    print question
    mov $name, %di
1:  getchar
    jc 2f
    cmp $'\r', %al
    je 2f
    cmp $'\n', %al
    je 2f
    stosb
    jmp 1b
2:  movb $0, (%di)
    print greeting
    print name
    putchar $'\n'
    exit
include_print
question:
    .asciz "name? "
greeting:
    .asciz "hello, "
    .lcomm name, 256
