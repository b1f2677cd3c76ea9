/* A kernel that writes codes to the POST port, and a line to the debug console if there is one.
 * Mode: multiboot */
#include "abi/multiboot.h"
    .balign 4
    .long MULTIBOOT_HEADER_MAGIC, 3, -(MULTIBOOT_HEADER_MAGIC + 3)
#include "foreign.inc"
    mov $0x10, %al
    out %al, $0x80
    out %al, $0x80
    mov $0xe9, %dx
    in %dx, %al
    cmp $0xe9, %al
    je 1f
    say "no console\n"
    finish
1:  mov $line, %esi
    mov $line_end - line, %ecx
    rep outsb
    mov $0x2f, %al
    out %al, $0x80
    say "done\n"
    finish

    .section .rodata
line:
    .ascii "to the debug console\n"
line_end:
