/* A kernel that goes to real mode and jumps to the entry of a PC's BIOS, ffff:0, as old systems do
 * to restart the machine. Mode: multiboot */
#include "abi/multiboot.h"
    .balign 4
    .long MULTIBOOT_HEADER_MAGIC, 3, -(MULTIBOOT_HEADER_MAGIC + 3)
#include "foreign.inc"
    .set LOW, 0x1000

    mov $stack, %esp
    mov $low, %esi
    mov $LOW, %edi
    mov $low_end - low, %ecx
    rep movsb
    say "jumps\n"
    lgdt table
    ljmp $8, $LOW

    .code16
low:                                /* at LOW: it can use only data in this code */
    mov $16, %ax
    mov %ax, %ds
    mov %ax, %es
    mov %ax, %ss
    mov %cr0, %eax
    and $0xfe, %al
    mov %eax, %cr0
    ljmp $0xffff, $0
low_end:
    .code32

    .data
table:
    .short 3 * 8 - 1
    .long segments
    .balign 8
segments:                           /* of 16 bits and 64 KB, from 0 on: code, data */
    .quad 0, 0x00009b000000ffff, 0x000093000000ffff
    .bss
    .balign 16
    .skip 256
stack:
