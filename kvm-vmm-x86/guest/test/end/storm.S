/* Writes to a port for ever: an exit each time, and never an end. */
#include "../../guest.inc"
    .code16
1:  out %al, $0x80
    jmp 1b
