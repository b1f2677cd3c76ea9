/* Hello, KVM! */
#include "guest.inc"
    .code16
    print greeting
    exit
include_print
greeting:
    .asciz "Hello, KVM!\n"
