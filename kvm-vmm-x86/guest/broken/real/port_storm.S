/*
 * Waits for a device that is not there: its status reads all ones for ever.
 *
 * Mode: real
 * Options: --max-exits 2000
 * Status: 124
 * Says: stopped after 2000 exits | endless loop of 3 instructions, hot address | <poll>
 * QEMU: no, nothing fails
 */
#include "../broken.inc"
    .code16
    mov $0x2fd, %dx         /* the second serial port: no device */
poll:
    in %dx, %al
    test $0x80, %al
    jnz poll
    exit
