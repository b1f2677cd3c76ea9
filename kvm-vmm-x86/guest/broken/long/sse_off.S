/*
 * An SSE instruction with CR4.OSFXSR cleared.
 *
 * Mode: long
 * Fault: 6 - at broken
 * Chain: 06 0d 08
 * Says: invalid opcode (SSE with CR4.OSFXSR (bit 9) clear) | IDT limit 0
 */
#include "../broken.inc"
    .code64
    mov %cr4, %rax
    and $~0x200, %rax
    mov %rax, %cr4
broken:
    xorps %xmm0, %xmm0
    exit
