/* A kernel that tests each part of kvm-unit-tests' device: its 32-bit register, whole and byte by
 * byte, an interrupt line, device memory, a page that is unmapped in KVM and mapped again, and
 * VMware's port. It prints what works. Mode: multiboot */
#include "abi/multiboot.h"
    .balign 4
    .long MULTIBOOT_HEADER_MAGIC, 3, -(MULTIBOOT_HEADER_MAGIC + 3)
#include "foreign.inc"
    .set MEMORY, 0xff000000
    .set LINE, 0x2000

    .macro wants what, value
    cmp \value, \what
    jne bad
    .endm

    mov $stack, %esp
    mov $0x12345678, %eax
    mov $0xe0, %dx
    out %eax, %dx
    in $0xe9, %al
    wants %al, $0x56
    say "word\n"

    mov $0x0a, %al                  /* the next read gives the PIC's requests (IRR) */
    out %al, $0x20
    mov $LINE + 5, %dx
    mov $1, %al
    out %al, %dx
    in $0x20, %al
    test $0x20, %al
    jz bad
    xor %eax, %eax
    out %al, %dx
    say "line\n"

    movl $0xfeedbeef, MEMORY + 0x100
    movzwl MEMORY + 0x102, %eax
    wants %eax, $0xfeed
    say "memory\n"

    movl $0xabcd, page
    mov $page, %eax
    mov $0xe4, %dx
    out %eax, %dx
    mov page, %eax
    wants %eax, $0xabcd
    movl $0xdcba, page
    mov page, %eax
    wants %eax, $0xdcba
    say "page\n"

    mov $0x564d5868, %eax
    mov $10, %ecx                   /* its version, and the magic number in EBX */
    mov $0x5658, %edx
    in %dx, %eax
    wants %eax, $6
    wants %ebx, $0x564d5868
    mov $0xfff, %ecx
    mov %ebx, %eax
    in %dx, %eax
    wants %eax, $-1
    say "VMware's port\n"
    finish
bad:
    finish 1

    .bss
    .balign 4096
page:
    .skip 4096
    .skip 256
stack:
