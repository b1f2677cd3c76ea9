/* A multiboot 2 kernel: prints its command line, its modules, and whether it got an RSDP of ACPI.
 * It requests the memory map, which is required, and symbols, which are optional. Mode: multiboot
 */
#include "abi/multiboot2.h"
#define LENGTH (header_end - header)
    .balign 8
header:
    .long MULTIBOOT2_HEADER_MAGIC, MULTIBOOT2_I386, LENGTH, -(MULTIBOOT2_HEADER_MAGIC + MULTIBOOT2_I386 + LENGTH)
    .short MULTIBOOT2_HEADER_INFORMATION, 0
    .long 12, MULTIBOOT2_MMAP, 0
    .short MULTIBOOT2_HEADER_INFORMATION, MULTIBOOT2_OPTIONAL
    .long 12, 9, 0
    .short MULTIBOOT2_HEADER_END, 0
    .long 8
header_end:
#include "foreign.inc"
    cmp $MULTIBOOT2_BOOT_MAGIC, %eax
    je 1f
    finish 1
1:  lea 8(%ebx), %edi
next:
    mov (%edi), %eax
    cmp $MULTIBOOT2_END, %eax
    je last
    cmp $MULTIBOOT2_CMDLINE, %eax
    jne 1f
    lea 8(%edi), %esi
    call puts
    say "\n"
    jmp step
1:  cmp $MULTIBOOT2_MODULE, %eax
    jne 1f
    lea 16(%edi), %esi
    call puts
    say ": "
    mov 8(%edi), %esi
2:  cmp 12(%edi), %esi
    je 3f
    lodsb
    mov $0x3f8, %dx
    out %al, %dx
    jmp 2b
3:  say "\n"
    jmp step
1:  cmp $MULTIBOOT2_MMAP, %eax
    jne 1f
    say "memory map\n"
    jmp step
1:  cmp $MULTIBOOT2_RSDP_2, %eax
    jne step
    say "root pointer\n"
step:
    mov 4(%edi), %eax
    add $7, %eax
    and $~7, %eax
    add %eax, %edi
    jmp next
last:
    finish
