/*
 * User code that reads the kernel's memory, by a page table of 4 KB pages: the page at 0x400000 is
 * present and writable, but not for user code.
 *
 * Mode: protected
 * Fault: 14 0x5 at broken CR2 0x400010
 * Chain: 0e 08
 * Says: page fault at 0x400010 | user read; not for user code: PT[0] bit 2 (U) is clear | IDT limit 0
 */
#include "../broken.inc"
#define PT 0x20000
    .code32
    mov %cr3, %ebx
    orl $4, 0x800(%ebx)             /* RAM at its high addresses: for user code */
    movl $0x80000000 + PT, %edi
    movl $0x500003, (%edi)
    movl $PT + 7, 4(%ebx)           /* 0x400000: the directory entry allows user code, the table's entry does not */
    mov %ebx, %cr3
    lgdt gdt_pointer
    push $0x23
    push $stack
    push $2
    push $0x1b
    push $user
    iret
user:
    mov $0x23, %eax
    mov %eax, %ds
broken:
    mov 0x400010, %eax
    exit

    .balign 8
gdt:
    .quad 0, 0x00cf9b000000ffff, 0x00cf93000000ffff, 0x00cffb000000ffff, 0x00cff3000000ffff
gdt_pointer:
    .word . - gdt - 1
    .long gdt
    .fill 64
stack:
