/* A firmware image of 4 KB, like the bootblock of coreboot: from the reset vector to 32-bit mode.
 * It reads the RAM size from CMOS and the PCI host by ports and by memory, and checks that the
 * image is below 4 GB, where it is read-only, and below 1 MB, where it is writable. Mode: real */
    .set HIGH, 0xfffff000
    .set LOW, 0x000ff000
    .set SIZE, 4096
    .set HOST_BRIDGE, 0x00081b36
    .set ECAM, 0xd1000000

    .macro say text
    jmp 8f
9:  .asciz "\text"
8:  mov $(9b - _start + HIGH), %esi
    call puts
    .endm

    .code16
    .globl _start
_start:
    cli
    lgdtl %cs:(descriptors - _start + 0xf000)
    mov %cr0, %eax
    or $1, %al
    mov %eax, %cr0
    ljmpl $8, $(1f - _start + HIGH)

    .code32
1:  mov $16, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %ss
    mov $0x8000, %esp
    say "32 bits\n"

    mov $0x35, %al                  /* RAM above 16 MB, in 64 KB: its high byte */
    out %al, $0x70
    in $0x71, %al
    cmp $1, %al
    jne bad
    say "32 MB\n"

    mov $0x80000000, %eax
    mov $0xcf8, %dx
    out %eax, %dx
    mov $0xcfc, %dx
    in %dx, %eax
    cmp $HOST_BRIDGE, %eax
    jne bad
    cmp %eax, ECAM
    jne bad
    say "PCI host\n"

    mov LOW, %eax
    cmp %eax, HIGH
    jne bad
    notl HIGH
    cmp %eax, HIGH
    jne bad
    notl LOW
    cmp %eax, LOW
    je bad
    say "ROM and RAM\n"
    mov $0x10, %al
    out %al, $0xf4
bad:
    mov $1, %al
    out %al, $0xf4

puts:
    mov $0x3f8, %dx
1:  lodsb
    test %al, %al
    jz 2f
    out %al, %dx
    jmp 1b
2:  ret

    .balign 8
descriptors:                        /* the null descriptor is never read, so lgdt's operand is stored there */
    .short 3 * 8 - 1
    .long descriptors - _start + HIGH
    .short 0
    .quad 0x00cf9b000000ffff
    .quad 0x00cf93000000ffff

    .org SIZE - 16
    .code16
    jmp _start
    .org SIZE
