/* A kernel that waits for interrupt 8 of the clock: three periodic ones by the PICs, then one of an
 * ended update; it says each. Mode: multiboot */
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
    port 0x21 0xfb                  /* the cascade and the clock alone */
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
    testb $0x10, flags              /* a periodic one may have been on its way */
    jz 1b
    say "update\n"
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
