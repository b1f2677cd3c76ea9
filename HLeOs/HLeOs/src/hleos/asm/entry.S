/*
 * The kernel's first instructions. They run at a physical address that the loader has chosen, with the loader's
 * identity map, so every address is relative to RIP until the jump to KERNEL_BASE.
 *
 * In:   abi/boot_info.h's contract (RDI = boot_info, 64-bit mode, identity map of 4 GB)
 * Out:  kernel_main(boot_info, physical address of the image), at KERNEL_BASE, on the boot stack,
 *       interrupts off, the loader's identity map still there
 */
#include "abi/boot_info.h"

#define PRESENT_WRITABLE 3
#define STACK_SIZE       0x4000

        .section .entry, "ax"
        .globl kernel_entry
kernel_entry:
        cli
        cld
        leaq    kernel_entry(%rip), %rbx        /* the image's address: the entry is its first byte */
        leaq    boot_pages(%rip), %rax

/* boot_pages: PML4, PDPT, directory, table. Zeroed like all of .bss. The lower half keeps the loader's map; the top 2
 * GB get one table, which maps 2 MB of kernel. */
        movq    %cr3, %rsi
        andq    $~0xfff, %rsi
        movq    (%rsi), %rcx
        movq    %rcx, (%rax)                    /* PML4[0] */
        leaq    0x1000 + PRESENT_WRITABLE(%rax), %rcx
        movq    %rcx, 511 * 8(%rax)             /* PML4[511] */
        leaq    0x2000 + PRESENT_WRITABLE(%rax), %rcx
        movq    %rcx, 0x1000 + 510 * 8(%rax)    /* PDPT[510]: the 1 GB from KERNEL_BASE */
        leaq    0x3000 + PRESENT_WRITABLE(%rax), %rcx
        movq    %rcx, 0x2000(%rax)              /* directory[0] */
        leaq    PRESENT_WRITABLE(%rbx), %rcx
        xorl    %edx, %edx
1:      movq    %rcx, 0x3000(%rax,%rdx,8)
        addq    $0x1000, %rcx
        incl    %edx
        cmpl    $512, %edx
        jb      1b
        movq    %rax, %cr3

        movq    $2f, %rax
        jmp     *%rax
2:      movq    $boot_stack_end, %rsp
        xorl    %ebp, %ebp                      /* the backtrace ends here */
        movq    %rbx, %rsi
        call    kernel_main                     /* does not return */
3:      cli
        hlt
        jmp     3b

/* Near the start of the file, this tells a loader that the kernel needs a boot_info. */
        .balign 8
        .quad   BOOT_INFO_MAGIC

        .section .bss.pages, "aw", @nobits
        .balign 0x1000
boot_pages:
        .skip   0x4000

/* The kernel's own tables never map the page below: memory/paging.c. */
        .section .bss.stack, "aw", @nobits
        .balign 0x1000
        .globl boot_stack_guard, boot_stack, boot_stack_end
boot_stack_guard:
        .skip   0x1000
boot_stack:
        .skip   STACK_SIZE
boot_stack_end:
