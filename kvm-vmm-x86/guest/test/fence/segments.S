/* Prints the state it starts in: CS, DS, ES, SS and SP, in hexadecimal, on one line. */
#include "../../guest.inc"
    .code16
    mov %sp, %bp
    mov %cs, %ax
    call print_hex
    mov %ds, %ax
    call print_hex
    mov %es, %ax
    call print_hex
    mov %ss, %ax
    call print_hex
    mov %bp, %ax
    call print_hex
    putchar $'\n'
    exit

/* AX, in four digits and a blank. Clobbers BX, CX, DX. */
print_hex:
    mov $4, %cx
1:  rol $4, %ax
    mov %ax, %di
    and $0xf, %ax
    add $'0', %al
    cmp $'9', %al
    jbe 2f
    add $'a' - '9' - 1, %al
2:  putchar %al
    mov %di, %ax
    loop 1b
    putchar $' '
    mov %di, %ax
    ret
