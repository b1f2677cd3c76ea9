/* The multiplication tables from 2 to 9, one line for each entry. */
#include "guest.inc"
    .code16
    mov $2, %si             /* the table */
table:
    mov $1, %di             /* the entry */
entry:
    mov %si, %ax
    call print_number
    putchar $' '
    putchar $'x'
    putchar $' '
    mov %di, %ax
    call print_number
    putchar $' '
    putchar $'='
    putchar $' '
    mov %si, %ax
    mul %di
    call print_number
    putchar $'\n'
    inc %di
    cmp $9, %di
    jbe entry
    inc %si
    cmp $9, %si
    jbe table
    exit
include_print
