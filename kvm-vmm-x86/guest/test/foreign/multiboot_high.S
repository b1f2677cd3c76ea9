/* A kernel that is linked at 0xc0100000 and loaded at 0x100000, where it is entered.
 * Mode: multiboot */
#include "abi/multiboot.h"
    .globl linked_high
    linked_high = 1
    .balign 4
    .long MULTIBOOT_HEADER_MAGIC, 3, -(MULTIBOOT_HEADER_MAGIC + 3)
    .globl _start
_start:
    cmp $MULTIBOOT_BOOT_MAGIC, %eax
    jne 3f
    mov $(text - 0xc0000000), %esi
    mov $0x3f8, %dx
1:  lodsb
    test %al, %al
    jz 2f
    out %al, %dx
    jmp 1b
2:  mov $0x10, %al
3:  out %al, $0xf4
text:
    .asciz "entered low\n"
