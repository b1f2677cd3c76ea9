/* Makes a number of exits that depends on the time-stamp counter, which is not recorded, and ends
 * with a triple fault: no second run is like the first. */
#include "../../guest.inc"
    .code16
    .set SCRATCH_PORT, 0x80

    rdtsc
    shr $4, %eax
    movzbl %al, %ecx        /* 1 to 256 exits */
    incw %cx
again:
    out %al, $SCRATCH_PORT
    loop again
    lidt empty
    int3

empty:
    .word 0
    .long 0
