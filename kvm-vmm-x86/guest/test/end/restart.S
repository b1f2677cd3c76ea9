/* Prints a byte of its input and resets the machine; a `q` ends it. With --reboot, one run for each
 * byte. */
#include "../../guest.inc"
    .code16
    getchar
    putchar %al
    cmp $'q', %bl
    je 1f
    mov $0xfe, %al
    out %al, $0x64
1:  exit
