/* A boot sector as in tutorials: writes by BIOS calls, prints the drive it was loaded from, and
 * powers off by ACPI's register. Mode: real */
    .set BASE, 0x7c00
    .code16
    .globl _start
_start:
    ljmp $0, $(1f - _start + BASE)
1:  xor %ax, %ax
    mov %ax, %ds
    mov %ax, %ss
    mov $BASE, %sp
    mov $(text - _start + BASE), %si
2:  lodsb
    test %al, %al
    jz 3f
    call put
    jmp 2b
3:  mov $4, %cx                     /* the drive: 0x80 is the first disk */
    xor %dh, %dh
4:  rol $4, %dx
    mov %dl, %al
    and $0x0f, %al
    add $'0', %al
    call put
    loop 4b
    mov $2000, %cx                  /* poll for a key: SeaBIOS serves its serial console meanwhile */
5:  mov $0x01, %ah
    int $0x16
    loop 5b
    mov $0x604, %dx
    mov $0x3400, %ax
    out %ax, %dx
put:
    mov $0x0e, %ah
    mov $7, %bx
    int $0x10
    ret
text:
    .asciz "by int 0x10, 0x"
    .org 510
    .short 0xaa55
