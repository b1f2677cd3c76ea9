/* Ends by the debug-exit port with the byte that it reads: 62 is status 125. */
#include "../../guest.inc"
    .code16
    getchar
    out %al, $DEBUG_EXIT_PORT
