/*
 * Makes a copy of itself for each key, and prints the number of the copy; a copy runs until it is
 * stopped.
 */
#include "../../guest.inc"
    .code16
next:
    getchar
    jc over
    hypercall HC_FORK
    jc no_copy
    test %eax, %eax
    jz copy
    call print_number
    putchar $'\n'
    jmp next
copy:
    pause
    jmp copy
over:
    exit
no_copy:
    debug_exit 1

include_print
