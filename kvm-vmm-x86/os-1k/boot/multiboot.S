/*
 * Only at the front of kernel.elf: a multiboot header (Multiboot 0.6.96, section 3.1) and a stub
 * that brings a machine from the state that section 3.2 describes (32-bit, paging off) to the one
 * that kernel_entry needs: the first 16 MB mapped twice, at 0 and at 0x80000000, by pages of 4 MB.
 */
#include "abi/multiboot.h"
#include "common/x86.h"

#define KERNEL_BASE 0x80000000
#define FLAGS       0x00000003      /* modules on page boundaries; tell the memory size */

.macro first_16_mb                  /* present, writable, large (SDM volume 3, table 4-4) */
    .long   0x00000083, 0x00400083, 0x00800083, 0x00c00083
.endm

    .section .multiboot, "ax"
    .balign 4
    .long   MULTIBOOT_HEADER_MAGIC, FLAGS, -(MULTIBOOT_HEADER_MAGIC + FLAGS)

    .globl multiboot_entry          /* the loader jumps to its physical address: see the Makefile */
multiboot_entry:
    movl    %cr4, %ecx
    orl     $X86_CR4_PSE, %ecx
    movl    %ecx, %cr4
    movl    $(directory - KERNEL_BASE), %ecx
    movl    %ecx, %cr3
    movl    %cr0, %ecx
    orl     $X86_CR0_PG, %ecx
    movl    %ecx, %cr0
    movl    $kernel_entry, %ecx
    jmp     *%ecx

    .data
    .balign 4096
directory:
    first_16_mb
    .balign 2048
    first_16_mb
    .balign 4096
