/*
 * Multiplies two 8x8 matrices and prints the product: A[i][j] = (i + j) % 10 + 1, B[i][j] = (i - j
 * + 8) % 10 + 1. The corners, to check by hand: C[0][0] = 162, C[7][7] = 198.
 */
#include "guest.inc"
    .code16
    .set SIZE, 8

    /* Fill A and B: SI is i, DI is j, BP the offset of both elements (a byte each: at most 10). */
    xor %bp, %bp
    xor %si, %si
fill_row:
    xor %di, %di
fill:
    mov %si, %ax
    add %di, %ax
    call digit
    mov %al, %ds:a(%bp)
    mov %si, %ax
    sub %di, %ax
    add $8, %ax
    call digit
    mov %al, %ds:b(%bp)
    inc %bp
    inc %di
    cmp $SIZE, %di
    jb fill
    inc %si
    cmp $SIZE, %si
    jb fill_row

    /* Multiply and print, row by row. */
    xor %si, %si
row:
    xor %di, %di
column:
    call product
    mov $4, %cx
    call print_padded
    inc %di
    cmp $SIZE, %di
    jb column
    putchar $'\n'
    inc %si
    cmp $SIZE, %si
    jb row
    exit

/* AX % 10 + 1 in AL, for AX below 256. */
digit:
    mov $10, %bl
    div %bl
    mov %ah, %al
    inc %al
    ret

/* The sum over k of A[SI][k] * B[k][DI], in AX. Clobbers BX, CX, DX, BP. */
product:
    mov %si, %bx
    shl $3, %bx             /* offset of A[SI][0] */
    mov %di, %bp            /* offset of B[0][DI] */
    xor %dx, %dx
    mov $SIZE, %cx
1:  mov a(%bx), %al
    mulb %ds:b(%bp)
    add %ax, %dx
    inc %bx
    add $SIZE, %bp
    loop 1b
    mov %dx, %ax
    ret

include_print

    .bss
    .lcomm a, SIZE * SIZE
    .lcomm b, SIZE * SIZE
