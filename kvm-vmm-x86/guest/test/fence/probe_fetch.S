/* Jumps to 0xcf010, outside every window but the fourth's. */
#include "../../guest.inc"
    .code16
    putchar $'>'
    putchar $'\n'
    ljmp $0xcf00, $0x0010
