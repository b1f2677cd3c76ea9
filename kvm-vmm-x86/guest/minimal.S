/* The smallest guest that shows anything: one letter, the end of the line, and out. */
#include "guest.inc"
    .code16
    putchar $'M'
    putchar $'\n'
    exit
