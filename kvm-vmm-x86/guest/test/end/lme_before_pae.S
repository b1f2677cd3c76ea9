/* Sets EFER.LME while CR4.PAE is clear, which a processor allows as long as paging is off, and
 * reports it. Only for hosts without nested paging: see docs/lab.md, "A guest that stops the
 * machine". Mode: protected */
    .code32
    .globl _start
_start:
    mov $0xc0000080, %ecx
    rdmsr
    or $0x100, %eax
    wrmsr
    mov $0x3f8, %dx
    mov $'2', %al
    out %al, %dx
    hlt
