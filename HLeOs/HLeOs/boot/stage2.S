/*
 * The second stage's entry, and its changes of mode: from real to protected mode at the start, to real mode and back
 * for each BIOS call, and to long mode at the end. Intel SDM volume 3, sections 9.9 and 9.8.5. The rest is C
 * (loader.c), compiled for 32 bits. All is below 64 KB, so that both modes use one stack.
 */
#include "layout.h"
#include "common/x86.h"

        .section .entry, "ax"
        .code16
        .globl stage2_entry
stage2_entry:
        jmp     real_entry
        .org    IMAGE_TABLE_OFFSET
        .globl image_table
image_table:
        .long   IMAGE_TABLE_MAGIC
        .skip   20 + IMAGE_COMMAND_MAX  /* struct image_table; mkimage fills it in */

/* In: DL = BIOS drive, all segments 0, SP = STACK_TOP. */
real_entry:
        cli
        lgdtl   gdt_register
        movl    %cr0, %eax
        orb     $X86_CR0_PE, %al
        movl    %eax, %cr0
        ljmpl   $SELECTOR_CODE32, $protected_entry

        .text
        .code32
protected_entry:
        movw    $SELECTOR_DATA32, %ax
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %ss
        movw    %ax, %fs
        movw    %ax, %gs
        movzbl  %dl, %edx
        movl    $STACK_TOP, %esp
        movl    $bss_start, %edi
        movl    $bss_end, %ecx
        subl    %edi, %ecx
        xorl    %eax, %eax
        rep stosb
        pushl   $0                      /* the ABI: ESP is a multiple of 16 at the call */
        pushl   $0
        pushl   $0
        pushl   %edx
        call    loader_main             /* does not return */

/*
 * void bios_call(uint32_t vector, struct bios_registers *registers)
 * Runs `int vector` in real mode, with interrupts on and these registers, and updates them. Keeps callee-saved ones.
 */
        .globl bios_call
bios_call:
        pushal
        movl    36(%esp), %eax
        movb    %al, bios_vector        /* the operand of the int below; the ljmp refetches it */
        movl    40(%esp), %esi
        movl    $bios_frame, %edi
        movl    $BIOS_FRAME_SIZE / 4, %ecx
        rep movsl
        movl    %esp, bios_saved_esp
        ljmp    $SELECTOR_CODE16, $bios_call_16

        .section .text16, "ax"          /* a section for 16-bit code, for disassemblers */
        .code16
bios_call_16:
        movw    $SELECTOR_DATA16, %ax   /* limits of 64 KB, as real mode requires */
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %ss
        movw    %ax, %fs
        movw    %ax, %gs
        movl    %cr0, %eax
        andl    $~X86_CR0_PE, %eax
        movl    %eax, %cr0
        ljmp    $0, $2f
2:      xorw    %ax, %ax
        movw    %ax, %ds
        movw    %ax, %ss
        movw    %ax, %fs
        movw    %ax, %gs
        lidtl   real_idt_register
        movl    $bios_frame, %esp
        popal
        popw    %es
        popw    %ds
        movl    %ss:bios_saved_esp, %esp
        sti
        .byte   0xcd                    /* int imm8 */
bios_vector:
        .byte   0
        cli
        movl    $bios_frame_end, %esp   /* safe: interrupts are off again */
        pushfl
        pushw   %ds
        pushw   %es
        pushal
        xorw    %ax, %ax
        movw    %ax, %ds
        lgdtl   gdt_register
        movl    %cr0, %eax
        orb     $X86_CR0_PE, %al
        movl    %eax, %cr0
        ljmpl   $SELECTOR_CODE32, $bios_call_back

        .text
        .code32
bios_call_back:
        movw    $SELECTOR_DATA32, %ax
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %ss
        movw    %ax, %fs
        movw    %ax, %gs
        movl    bios_saved_esp, %esp
        cld
        movl    $bios_frame, %esi
        movl    40(%esp), %edi
        movl    $BIOS_FRAME_SIZE / 4, %ecx
        rep movsl
        popal
        ret

/*
 * void enter_kernel(uint32_t entry, uint32_t boot_info)
 * Enters long mode with the page tables at PAGE_TABLES_AT, then jumps as abi/boot_info.h describes.
 */
        .globl enter_kernel
enter_kernel:
        movl    4(%esp), %esi
        movl    8(%esp), %edi
        movl    %cr4, %eax
        orl     $X86_CR4_PAE, %eax
        movl    %eax, %cr4
        movl    $PAGE_TABLES_AT, %eax
        movl    %eax, %cr3
        movl    $X86_MSR_EFER, %ecx
        rdmsr
        orl     $X86_EFER_LME, %eax
        wrmsr
        movl    %cr0, %eax
        orl     $X86_CR0_PG, %eax
        movl    %eax, %cr0
        ljmp    $SELECTOR_CODE64, $4f
        .code64
4:      movl    %edi, %edi              /* the upper halves are undefined after the mode switch */
        movl    %esi, %esi
        jmp     *%rsi

        .data
        .balign 8
gdt:    .quad   0
        .quad   0x00cf9a000000ffff      /* SELECTOR_CODE32: flat, 4 GB */
        .quad   0x00cf92000000ffff      /* SELECTOR_DATA32 */
        .quad   0x00009a000000ffff      /* SELECTOR_CODE16: 64 KB */
        .quad   0x000092000000ffff      /* SELECTOR_DATA16 */
        .quad   0x00af9a000000ffff      /* SELECTOR_CODE64 */
gdt_register:
        .word   . - gdt - 1
        .long   gdt
        .balign 4
real_idt_register:
        .word   0x3ff
        .long   0

        .bss
        .balign 4
bios_saved_esp:
        .skip   4
bios_frame:                             /* struct bios_registers in bios.h */
        .set    BIOS_FRAME_SIZE, 40
        .skip   BIOS_FRAME_SIZE
bios_frame_end:
