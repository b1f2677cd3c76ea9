/*
 * The front of kernel.elf only: a multiboot header (Multiboot 0.6.96, section 3.1) and a stub that
 * brings a machine from the state that section 3.2 describes (32-bit, paging off) to the one
 * kernel_entry wants. It maps the first 16 MB twice, at 0 and at 0x80000000, with 4 KB pages: what
 * every paging CPU since the 386 has.
 */
#include "abi/multiboot.h"

#define KERNEL_BASE 0x80000000
#define FLAGS       0x00000003      /* modules on page boundaries; tell the memory size */
#define TABLES      4               /* of 4 MB each */
#define PRESENT_RW  0x003
#define CR0_PG      0x80000000

    .section .multiboot, "ax"
    .balign 4
    .long   MULTIBOOT_HEADER_MAGIC, FLAGS, -(MULTIBOOT_HEADER_MAGIC + FLAGS)

    .globl multiboot_entry          /* the loader jumps to its physical address: see the Makefile */
multiboot_entry:
    cli
    cld
    movl    %eax, %esi
    movl    $(tables - KERNEL_BASE), %edi
    movl    $PRESENT_RW, %eax
    movl    $(TABLES * 1024), %ecx
1:  stosl                           /* every page of the first 16 MB, in order */
    addl    $4096, %eax
    loop    1b

    movl    $(directory - KERNEL_BASE), %edi
    movl    $(tables - KERNEL_BASE + PRESENT_RW), %eax
    xorl    %ecx, %ecx
2:  movl    %eax, (%edi, %ecx, 4)
    movl    %eax, KERNEL_BASE >> 20(%edi, %ecx, 4)
    addl    $4096, %eax
    incl    %ecx
    cmpl    $TABLES, %ecx
    jne     2b

    movl    %edi, %cr3
    movl    %cr0, %eax
    orl     $CR0_PG, %eax
    movl    %eax, %cr0
    movl    %esi, %eax
    movl    $kernel_entry, %ecx
    jmp     *%ecx

    /* Apart from .bss, which kernel_entry clears while these tables are in use. */
    .section .boot_tables, "aw", @nobits
    .balign 4096
directory:
    .skip   4096
tables:
    .skip   TABLES * 4096
