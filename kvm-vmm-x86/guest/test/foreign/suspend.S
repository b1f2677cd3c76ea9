/* A kernel that suspends to RAM (ACPI's S3) with the clock's alarm set for the next second, and
 * continues in real mode at its waking vector, where it prints what woke it. Mode: multiboot */
#include "abi/multiboot.h"
    .balign 4
    .long MULTIBOOT_HEADER_MAGIC, 3, -(MULTIBOOT_HEADER_MAGIC + 3)
#include "foreign.inc"
    .set PM1_STATUS, 0x600
    .set FACS, 0xe0040
    .set VECTOR, 0x1000

    .macro clock register value
    mov $\register, %al
    out %al, $0x70
    mov $\value, %al
    out %al, $0x71
    .endm

    mov $stack, %esp
    cmpl $0x53434146, FACS          /* "FACS" */
    je 1f
    finish 1
1:  movl $VECTOR, FACS + 12
    mov $waking, %esi
    mov $VECTOR, %edi
    mov $waking_end - waking, %ecx
    rep movsb
    clock 0x01 0xc0                 /* an alarm at any second, minute, hour */
    clock 0x03 0xc0
    clock 0x05 0xc0
    clock 0x0b 0x22
    mov $PM1_STATUS + 2, %dx
    mov $0x0400, %ax                /* the alarm is an event */
    out %ax, %dx
    say "sleeps\n"
    mov $PM1_STATUS + 4, %dx
    mov $0x2400, %ax                /* S3, now */
    out %ax, %dx
1:  jmp 1b

    .code16
waking:                             /* at VECTOR: it can use only data in this code */
    mov %cs, %ax
    mov %ax, %ds
    mov $PM1_STATUS, %dx
    in %dx, %ax
    cmp $0x8400, %ax                /* woken, by the alarm */
    mov $text - waking, %si
    je 1f
    mov $wrong - waking, %si
1:  mov $0x3f8, %dx
2:  lodsb
    test %al, %al
    jz 3f
    out %al, %dx
    jmp 2b
3:  mov $0x10, %al
    out %al, $0xf4
    hlt
text:
    .asciz "awake\n"
wrong:
    .asciz "awake, not by the alarm\n"
waking_end:
    .code32

    .bss
    .balign 16
    .skip 256
stack:
