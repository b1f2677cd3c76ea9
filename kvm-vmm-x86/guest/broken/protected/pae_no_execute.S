/*
 * The guest makes its own PAE page tables, with a 4 KB page of data at 0x200000, and jumps there.
 * PAE is the only 32-bit paging with NX.
 *
 * Mode: protected
 * Fault: 14 0x11 at 0x200000 CR2 0x200000
 * Chain: 0e 08
 * Says: page fault at 0x200000 | fetch; not executable: PT[0] bit 63 (NX) is set | IDT limit 0
 */
#include "../broken.inc"
#define PDPT 0x20000
#define PD   0x21000
#define PT   0x22000
    .code32
    mov $low - 0x80000000, %eax     /* paging can only be switched off where addresses stay the same */
    jmp *%eax
low:
    mov %cr0, %eax
    and $0x7fffffff, %eax
    mov %eax, %cr0
    movl $PD + 1, PDPT
    movl $0x83, PD                  /* the first 2 MB in one page */
    movl $PT + 3, PD + 8
    movl $0x300003, PT
    movl $0x80000000, PT + 4        /* NX */
    mov $PDPT, %eax
    mov %eax, %cr3
    mov $0x20, %eax                 /* PAE */
    mov %eax, %cr4
    mov $0xc0000080, %ecx
    rdmsr
    or $0x800, %eax                 /* NXE */
    wrmsr
    mov %cr0, %eax
    or $0x80000000, %eax
    mov %eax, %cr0
    mov $0x200000, %eax
    jmp *%eax
