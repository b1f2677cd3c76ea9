/* Ends by the debug-exit port with 21: status 43. */
#include "../../guest.inc"
    .code16
    putchar $'d'
    putchar $'\n'
    debug_exit 21
