/*
 * A jump to the heap after it was marked as data: EFER.NXE on, bit 63 set in the entry of the 2 MB
 * page at 0x200000. Tables: the PD for the first gigabyte is the page behind the PDPT, which is the
 * page behind the PML4.
 *
 * Mode: long
 * Fault: 14 0x11 at 0x200000 CR2 0x200000
 * Chain: 0e 08
 * Says: page fault at 0x200000 | fetch; not executable: PD[1] bit 63 (NX) is set | IDT limit 0
 */
#include "../broken.inc"
    .code64
    mov $0xc0000080, %ecx
    rdmsr
    or $0x800, %eax
    wrmsr
    mov %cr3, %rbx
    orl $0x80000000, 0x2000 + 8 + 4(%rbx)
    mov %rbx, %cr3
    mov $0x200000, %eax
    jmp *%rax
