/* A multiboot 1 kernel: prints its command line, its modules with their content, and whether it
 * finds the RSDP of ACPI and an MP table where kernels search. Mode: multiboot */
#include "abi/multiboot.h"
    .balign 4
    .long MULTIBOOT_HEADER_MAGIC, 3, -(MULTIBOOT_HEADER_MAGIC + 3)
#include "foreign.inc"
    cmp $MULTIBOOT_BOOT_MAGIC, %eax
    je 1f
    finish 1
1:  mov %ebx, %ebp
    mov 16(%ebp), %esi              /* the command line */
    call puts
    say "\n"
    testl $MULTIBOOT_INFO_MODS, (%ebp)
    jz tables
    mov 20(%ebp), %ecx
    mov 24(%ebp), %edi
1:  say_string 8(%edi)
    say ": "
    mov (%edi), %esi
2:  cmp 4(%edi), %esi
    je 3f
    lodsb
    mov $0x3f8, %dx
    out %al, %dx
    jmp 2b
3:  say "\n"
    add $16, %edi
    loop 1b
tables:
    mov $0xe0000, %edi
1:  cmpl $0x20445352, (%edi)        /* "RSD " */
    je 2f
    add $16, %edi
    cmp $0x100000, %edi
    jb 1b
    say "no "
2:  say "root pointer\n"
    mov $0xf0000, %edi
1:  cmpl $0x5f504d5f, (%edi)        /* "_MP_" */
    je 2f
    add $16, %edi
    cmp $0x100000, %edi
    jb 1b
    say "no "
2:  say "MP table\n"
    finish
