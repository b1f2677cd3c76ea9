/*
 * The kernel's first instructions. They run at whatever physical address the loader chose, under
 * the loader's identity map; every address is therefore relative to RIP until the jump up.
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
        leaq    kernel_entry(%rip), %rbx        /* where the image lies: entry is its first byte */
        leaq    boot_pages(%rip), %rax

/* boot_pages: PML4, PDPT, directory, table. Zeroed like all of .bss. The lower half of the address
 * space stays the loader's; the top 2 GB get one table, which reaches over 2 MB of kernel. */
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

/* By this a loader knows, near the file's beginning, that a boot_info is wanted. */
        .balign 8
        .quad   BOOT_INFO_MAGIC

        .section .bss.pages, "aw", @nobits
        .balign 0x1000
boot_pages:
        .skip   0x4000

/* The page below is never mapped by the kernel's own tables: memory/paging.c. */
        .section .bss.stack, "aw", @nobits
        .balign 0x1000
        .globl boot_stack_guard, boot_stack, boot_stack_end
boot_stack_guard:
        .skip   0x1000
boot_stack:
        .skip   STACK_SIZE
boot_stack_end:
