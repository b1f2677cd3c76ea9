/* A kernel that waits for interrupt 8 of the clock: three periodic ones through the PICs, one
 * update-ended, one alarm; it prints each. It sets the clock to the last second of 1999.
 * Mode: multiboot */
#include "abi/multiboot.h"
    .balign 4
    .long MULTIBOOT_HEADER_MAGIC, 3, -(MULTIBOOT_HEADER_MAGIC + 3)
#include "foreign.inc"
    .macro port number value
    mov $\value, %al
    out %al, $\number
    .endm

    .macro clock register value
    port 0x70 \register
    port 0x71 \value
    .endm

    .macro field register value     /* the value that it must have */
    port 0x70 \register
    in $0x71, %al
    cmp $\value, %al
    jne bad
    .endm

    mov $stack, %esp
    mov $irq8, %eax                 /* vector 0x28: an interrupt gate */
    mov %ax, gate
    shr $16, %eax
    mov %ax, gate + 6
    mov %cs, gate + 2
    lidt idt
    port 0x20 0x11                  /* ICW1 to ICW4 of both PICs */
    port 0xa0 0x11
    port 0x21 0x20
    port 0xa1 0x28
    port 0x21 0x04
    port 0xa1 0x02
    port 0x21 0x01
    port 0xa1 0x01
    port 0x21 0xfb                  /* unmask only the cascade and the clock */
    port 0xa1 0xfe
    clock 0x0a 0x2b                 /* 32 Hz */
    clock 0x0b 0x42
    mov $3, %ecx
1:  sti
    hlt
    cli
    testb $0x40, flags
    jz bad
    say "periodic\n"
    loop 1b
    clock 0x0b 0x12
1:  sti
    hlt
    cli
    testb $0x10, flags              /* a periodic one may have been pending */
    jz 1b
    say "update\n"

    clock 0x0b 0x82                 /* stop, and the last second of a year */
    clock 0x00 0x59
    clock 0x02 0x59
    clock 0x04 0x23
    clock 0x07 0x31
    clock 0x08 0x12
    clock 0x09 0x99
    clock 0x32 0x19
    clock 0x01 0x01                 /* an alarm one second after midnight */
    clock 0x03 0x00
    clock 0x05 0x00
    clock 0x0b 0x22
1:  sti
    hlt
    cli
    testb $0x20, flags
    jz 1b
    say "alarm\n"
    field 0x04 0x00
    field 0x07 0x01
    field 0x08 0x01
    field 0x09 0x00
    field 0x32 0x20
    say "new year\n"
    finish
bad:
    finish 1

irq8:
    port 0x70 0x0c
    in $0x71, %al
    mov %al, flags
    port 0xa0 0x20
    port 0x20 0x20
    iret

    .data
idt:
    .short 0x28 * 8 + 7
    .long gate - 0x28 * 8
    .balign 8
gate:
    .short 0, 0, 0x8e00, 0
flags:
    .byte 0
    .bss
    .balign 16
    .skip 256
stack:
