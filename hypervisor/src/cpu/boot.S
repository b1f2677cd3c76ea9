/*
 * The first instructions of every hart, in HS-mode with translation off. Two headers come first: one has the format of
 * a Linux image, which boot loaders know (Linux's documentation, arch/riscv/boot-image-header), the other that of an
 * EFI application (PE/COFF).
 *
 * From OpenSBI (SBI 9.1): a0 = hart id, a1 = device tree or, for a hart started by us, its
 * `struct cpu`. Nothing else is defined; interrupts are off (sstatus.SIE = 0).
 */
#include "cpu/csr.h"
#include "offsets.h"

#define LINKED_AT        0x80200000 /* hypervisor.ld */
#define R_RISCV_RELATIVE 3

    .section .text.boot, "ax"
    .globl boot_entry
boot_entry:
    .option push
    .option rvc
    c.li    s4, -13 /* "MZ" as an instruction without effect */
    .option norvc
    j       boot_first
    .option pop
    .balign 8
    .dword  0x200000 /* from the beginning of RAM: where U-Boot's booti puts it */
    .dword  image_size
    .dword  0 /* little-endian */
    .word   2 /* the header's version, 0.2 */
    .word   0
    .dword  0
    .ascii  "RISCV\0\0\0"
    .ascii  "RSC\005"
    .word   pe_header - boot_entry

pe_header:
    .ascii  "PE\0\0"
    .short  0x5064 /* for RISC-V with 64 bits, */
    .short  2      /* sections, */
    .word   0, 0, 0
    .short  pe_sections - pe_optional
    .short  0x206 /* an executable without symbols and line numbers */
pe_optional:
    .short  0x20b /* PE32+ */
    .short  0
    .word   pe_text_size
    .word   pe_data_file_size, 0
    .word   boot_efi - boot_entry
    .word   pe_text
    .dword  0
    .word   4096, 4096 /* alignment in memory and in the file */
    .short  0, 0, 0, 0, 0, 0
    .word   0
    .word   image_size
    .word   pe_text /* of the headers */
    .word   0
    .short  10 /* an EFI application */
    .short  0
    .dword  0, 0, 0, 0
    .word   0
    .word   6
    .dword  0, 0, 0, 0, 0, 0
pe_sections: /* in memory: size and place; in the file: the same */
    .ascii  ".text\0\0\0"
    .word   pe_text_size, pe_text, pe_text_size, pe_text
    .word   0, 0, 0
    .word   0x60000020 /* code, to read and execute */
    .ascii  ".data\0\0\0"
    .word   pe_data_size, pe_data, pe_data_file_size, pe_data
    .word   0, 0, 0
    .word   0xc0000040 /* data, to read and write */
    .balign 4096

boot_first:
    csrw    CSR_SIE, zero
    csrw    CSR_SATP, zero
    la      t0, boot_taken
    li      t1, 1
    amoswap.w.aqrl t1, t1, (t0)
    bnez    t1, boot_astray
    call    boot_prepare
boot_ready:
    la      sp, boot_stack_top
    la      t0, host_trap_entry
    csrw    CSR_STVEC, t0
    call    main
1:  wfi
    j       1b

/*
 * EFI calls this as a function: a0 = the image's handle, a1 = the system table. It runs on EFI's stack, with EFI's
 * translation and interrupts, which are off after boot services have ended. Returns if efi_leave() fails.
 */
boot_efi:
    addi    sp, sp, -16
    sd      ra, 8(sp)
    call    boot_prepare
    call    efi_leave /* a0 = hart id, a1 = device tree */
    beqz    a1, 1f
    csrci   CSR_SSTATUS, 2 /* SIE */
    csrw    CSR_SIE, zero
    csrw    CSR_SATP, zero
    la      t0, boot_taken
    li      t1, 1
    sw      t1, (t0)
    j       boot_ready
1:  li      a0, 0x8000000000000001 /* EFI_LOAD_ERROR */
    ld      ra, 8(sp)
    addi    sp, sp, 16
    ret

/* Applies the image's relocations, and clears .bss. Changes t0 to t6. */
boot_prepare:
    la      t0, rela_start
    la      t1, rela_end
    la      t2, boot_entry
    li      t3, LINKED_AT
    sub     t2, t2, t3
    li      t6, R_RISCV_RELATIVE
1:  bgeu    t0, t1, 3f
    ld      t3, 0(t0)       /* where, */
    ld      t4, 8(t0)       /* how, */
    ld      t5, 16(t0)      /* and the value as linked */
    bne     t4, t6, 2f
    add     t3, t3, t2
    add     t5, t5, t2
    sd      t5, (t3)
2:  addi    t0, t0, 24
    j       1b
3:  fence.i
    la      t0, bss_start
    la      t1, bss_end
1:  bgeu    t0, t1, 2f
    sd      zero, 0(t0)
    addi    t0, t0, 8
    j       1b
2:  ret

    .globl boot_secondary
boot_secondary:
    csrw    CSR_SIE, zero
    csrw    CSR_SATP, zero
    mv      tp, a1
    ld      sp, CPU_STACK_TOP(tp)
    la      t0, host_trap_entry
    csrw    CSR_STVEC, t0
    call    cpu_secondary
5:  wfi
    j       5b

/*
 * OpenSBI 1.1 marks a hart as started before it stores the start address, so that hart may enter at the boot hart's
 * entry. It continues here, with `cpu_starting` as its argument: only one hart starts at a time.
 */
boot_astray:
    la      t0, cpu_starting
    ld      a1, (t0)
    j       boot_secondary

    .data
    .balign 4
boot_taken: /* not in .bss, which the first hart clears */
    .word   0

    .section .bss.stack, "aw", @nobits
    .balign 16
    .space  32768
boot_stack_top:
