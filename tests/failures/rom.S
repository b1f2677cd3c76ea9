/*
 * The firmware that a broken guest finds in QEMU: it puts the CPU into the state that the VMM
 * starts a guest of that mode in (kvm-vmm-x86/src/cpu/), with 64 MB of RAM, and enters the image,
 * which QEMU has put into memory. 64 KB that end at 4 GB; also seen at 0xf0000.
 *
 * MODE (defined by the command line): 16, 32 or 64.
 */
#define RAM_END   0x4000000
#define ROM_BASE  0xf0000
#define HERE(label) (ROM_BASE + label - rom)

/* Where the VMM's tables are: cpu/protected.c and cpu/long.c. */
#define GDT32       (RAM_END - 0x3000)
#define DIRECTORY   (RAM_END - 0x2000)
#define STACK32     (RAM_END - 0x4000)
#define RESERVED64  (RAM_END - 0x7000)
#define PML4        (RESERVED64 + 0x1000)
#define PDPT        (RESERVED64 + 0x2000)
#define DIRECTORIES (RESERVED64 + 0x3000)

    .text
rom:
    .code16
start:
    xor %ax, %ax
    mov %ax, %ds
    mov %ax, %es
    mov %ax, %fs
    mov %ax, %gs
    mov %ax, %ss
    mov $0xfffe, %esp
#if MODE == 16
    ljmp $0, $0
#else
    mov $0xf000, %ax
    mov %ax, %ds
    lgdtl gdt_pointer - rom
    mov %cr0, %eax
    and $0x9fffffff, %eax       /* caches on */
    or $0x21, %al               /* PE, NE */
    mov %eax, %cr0
    ljmpl $8, $HERE(flat)

    .code32
flat:
    mov $0x10, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %fs
    mov %eax, %gs
    mov %eax, %ss
    cld
    movl $0x10f, 0xfee000f0     /* the local APIC on, and the PIC's interrupts through its LINT0 */
    movl $0x700, 0xfee00350
#if MODE == 32
    mov $GDT32, %edi
    mov $HERE(gdt), %esi
    mov $6, %ecx
    rep movsl
    lgdt HERE(gdt32_pointer)
    mov $DIRECTORY, %edi        /* 16 pages of 4 MB, at 0 and at 0x80000000 */
    mov $0x83, %eax
    mov $16, %ecx
1:  mov %eax, (%edi)
    mov %eax, 0x800(%edi)
    add $0x400000, %eax
    add $4, %edi
    loop 1b
    mov $DIRECTORY, %eax
    mov %eax, %cr3
    mov $0x10, %eax             /* PSE */
    mov %eax, %cr4
    mov %cr0, %eax
    or $0x80010000, %eax        /* PG, WP */
    mov %eax, %cr0
    lidt HERE(no_idt)
    mov $STACK32, %esp
    mov $0x80001000, %eax
    jmp *%eax
#else
    movl $PDPT + 3, PML4
    mov $PDPT, %edi
    mov $DIRECTORIES + 3, %eax
    mov $4, %ecx
1:  mov %eax, (%edi)
    add $0x1000, %eax
    add $8, %edi
    loop 1b
    mov $DIRECTORIES, %edi      /* 2,048 pages of 2 MB */
    mov $0x83, %eax
    mov $2048, %ecx
2:  mov %eax, (%edi)
    add $0x200000, %eax
    add $8, %edi
    loop 2b
    mov $PML4, %eax
    mov %eax, %cr3
    mov $0x620, %eax            /* PAE, OSFXSR, OSXMMEXCPT */
    mov %eax, %cr4
    mov $0xc0000080, %ecx
    rdmsr
    or $0x100, %eax             /* LME */
    wrmsr
    mov $RESERVED64, %edi
    mov $HERE(gdt), %esi
    mov $8, %ecx
    rep movsl
    lgdt HERE(gdt64_pointer)
    mov %cr0, %eax
    or $0x80010002, %eax        /* PG, WP, MP */
    mov %eax, %cr0
    ljmp $0x18, $HERE(wide)

    .code64
wide:
    mov $RESERVED64, %edi       /* the VMM's GDT has three entries, 8 the code's */
    mov HERE(gdt) + 0x18, %rax
    mov %rax, 8(%rdi)
    lgdt HERE(gdt_final)
    lidt HERE(no_idt)
    mov $RESERVED64, %esp
    push $8
    push $0x100000
    lretq
#endif
    .balign 8
gdt:
    .quad 0, 0x00cf9b000000ffff, 0x00cf93000000ffff, 0x00af9b000000ffff
gdt_pointer:
    .word 0x1f
    .long HERE(gdt)
gdt32_pointer:
    .word 0x17
    .long GDT32
gdt64_pointer:
    .word 0x1f
    .long RESERVED64
gdt_final:
    .word 0x17
    .quad RESERVED64
no_idt:
    .word 0
    .quad 0
#endif
    .org 0xfff0                 /* where a CPU begins */
    .code16
    ljmp $0xf000, $start - rom
    .org 0x10000
