/*
 * Uses the VMM's own interrupt controllers and timer (--irqchip vmm): waits for three ticks at a
 * HLT, prints dots until three more have come, then a reading of the timer, then each byte that the
 * serial port's interrupt brings, until a `q`. The number of dots and the reading depend on the
 * host; a replay has the same.
 */
#include "../../guest.inc"
    .code16
    .set PIC, 0x20
    .set PIC_MASK, 0x21
    .set PIT, 0x40
    .set PIT_CONTROL, 0x43
    .set SCRATCH_PORT, 0x80
    .set VECTOR, 0x20
    .set COUNT, 11932       /* 10 ms */
    .set END, 0x20

    jmp start

    .org 4 * VECTOR         /* the IVT is at 0, and so is the image */
    .word on_tick, 0
    .word 0, 0, 0, 0, 0, 0
    .word on_key, 0

start:
    mov $0x11, %al          /* initialization command words 1 to 4 */
    out %al, $PIC
    mov $VECTOR, %al
    out %al, $PIC_MASK
    mov $4, %al
    out %al, $PIC_MASK
    mov $1, %al
    out %al, $PIC_MASK
    mov $0xee, %al          /* unmask lines 0 and 4 */
    out %al, $PIC_MASK
    mov $0x34, %al          /* counter 0, both bytes, mode 2 */
    out %al, $PIT_CONTROL
    mov $COUNT & 0xff, %al
    out %al, $PIT
    mov $COUNT >> 8, %al
    out %al, $PIT
halted:
    sti
    hlt
    cmpw $3, ticks
    jb halted
    print halts
dots:
    cli
    putchar $'.'            /* interrupts wait meanwhile */
    sti
    nop
    out %al, $SCRATCH_PORT
    cmpw $6, ticks
    jb dots
after:
    putchar $'\n'
    xor %al, %al            /* latch counter 0 */
    out %al, $PIT_CONTROL
    in $PIT, %al
    mov %al, %cl
    in $PIT, %al
    mov %al, %ch
    mov %cx, %ax
    call print_number
    putchar $'\n'
    mov $0xef, %al          /* only keys from here on */
    out %al, $PIC_MASK
    mov $1, %al             /* the port interrupts for a byte received */
    mov $UART + 1, %dx
    out %al, %dx
    mov $0x0b, %al          /* OUT2 connects its interrupt line */
    mov $UART + 4, %dx
    out %al, %dx
next:
    cli
    cmpb $'q', key
    je done
    sti
    hlt
    jmp next
done:
    putchar $'\n'
    exit

on_tick:
    push %ax
    incw ticks
    mov $END, %al
    out %al, $PIC
    pop %ax
    iret

on_key:
    push %ax
    push %bx
    push %dx
1:  mov $UART_LSR, %dx      /* read all bytes: the line is edge-triggered */
    in %dx, %al
    test $LSR_READY, %al
    jz 2f
    mov $UART, %dx
    in %dx, %al
    mov %al, key
    putchar %al
    jmp 1b
2:  mov $END, %al
    out %al, $PIC
    pop %dx
    pop %bx
    pop %ax
    iret

    include_print

ticks:
    .word 0
key:
    .byte 0
halts:
    .asciz "3 halts\n"
