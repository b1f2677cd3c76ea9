/* Resets the machine with its first exit. With --reboot, again and again. */
#include "../../guest.inc"
    .code16
    mov $0xfe, %al
    out %al, $0x64
