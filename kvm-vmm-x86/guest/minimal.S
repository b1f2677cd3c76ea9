/* The smallest guest that shows anything: one letter, a newline, and the exit. */
#include "guest.inc"
    .code16
    putchar $'M'
    putchar $'\n'
    exit
