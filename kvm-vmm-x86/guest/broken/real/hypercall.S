/*
 * The third common issue: the hypercall protocol. The number belongs in AL and the byte in BL; here
 * they are swapped, and 'A' is not the number of a hypercall.
 *
 * Mode: real
 * Says: unknown hypercall 0x41
 * QEMU: no, it has no hypercalls
 */
#include "../broken.inc"
    .code16
    mov $HC_PORT, %dx
    mov $'A', %al
    mov $HC_PUTCHAR, %bl
broken:
    out %al, %dx
    exit
