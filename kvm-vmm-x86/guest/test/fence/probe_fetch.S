/* Jumps to 0xc0010, outside every window but the fourth's. */
#include "../../guest.inc"
    .code16
    putchar $'>'
    putchar $'\n'
    ljmp $0xc000, $0x0010
