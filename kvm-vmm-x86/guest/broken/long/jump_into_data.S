/*
 * A jump into a string: 0x06, 'a' and 'b' are not instructions in 64-bit code.
 *
 * Mode: long
 * Fault: 6 - at broken
 * Chain: 06 0d 08
 * Says: invalid opcode (the bytes 06 61 62 are not an instruction) | IDT limit 0
 */
#include "../broken.inc"
    .code64
    jmp broken
broken:
    .byte 0x06
    .asciz "abc"
