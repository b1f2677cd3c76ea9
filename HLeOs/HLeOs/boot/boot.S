/*
 * The boot sector: the 512 bytes that the BIOS loads to 0x7c00 and jumps to in real mode, with the drive's number in
 * DL. It loads the second stage, which follows it on the disk, and jumps there.
 *
 * In:   DL = BIOS drive; CS:IP = linear 0x7c00, as 0:7c00 or 07c0:0; nothing else is certain
 * Out:  jumps to STAGE2_AT with DL = drive, all segments 0, SS:SP = 0:STACK_TOP, interrupts on
 *
 * Disk services: Phoenix EDD 3.0 (int 13h functions 41h, 42h); functions 00h, 02h, 08h where EDD is missing. Each
 * failure prints one line with a code (docs/hleos.md has the table) on the screen and on COM1, and halts.
 *
 * Some BIOSes treat every boot sector as that of a FAT file system and write into its parameter block (hidden sectors
 * at 0x1c, the drive's number at 0x24 or 0x40). So the sector begins with FAT's jump and leaves the space of that block
 * unused.
 */
#include "layout.h"

#define COM1       0x3f8
#define TRIES      3
#define EDD_MAGIC  0x55aa
#define DRIVE      0x7e00       /* one byte behind this sector: kept over BIOS calls */
#define TRACK      0x7e02       /* sectors a track, heads: words */
#define HEADS      0x7e04

        .code16
        .text
        .globl boot_sector
boot_sector:
        jmp     entry
        nop
        .org    BOOT_PARAMETERS_END
entry:
        cld
        xorw    %ax, %ax
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %ss
        movw    $STACK_TOP, %sp         /* the CPU blocks interrupts until after this instruction */
        sti
        ljmp    $0, $start              /* sets CS too: a BIOS may jump to 07c0:0000 */

start:
        movb    %dl, DRIVE

/* COM1: 115,200 baud, 8 bits, no parity, one stop bit. */
        movw    $COM1 + 3, %dx
        movb    $0x83, %al
        outb    %al, %dx
        movb    $COM1 & 0xff, %dl
        movb    $1, %al
        outb    %al, %dx
        incw    %dx
        xorb    %al, %al
        outb    %al, %dx
        movb    $(COM1 + 3) & 0xff, %dl
        movb    $3, %al
        outb    %al, %dx

        movw    $name, %si
        call    print

        movb    $0x41, %ah              /* is EDD present? */
        movw    $EDD_MAGIC, %bx
        call    disk
        jc      by_geometry
        cmpw    $0xaa55, %bx
        jne     by_geometry
        shrb    $1, %cl                 /* with the packet functions? */
        jnc     by_geometry

/* Reads the whole second stage with one packet. The BIOS overwrites the count of blocks with the number read, also if
 * the read fails: each try sets the full count again. */
        movw    $TRIES, %bp
1:      movw    stage2_sectors, %ax
        movw    %ax, packet_count
        movw    $packet, %si
        movb    $0x42, %ah
        call    disk
        jnc     loaded
        call    reset_or_fail
        jmp     1b

/* One sector at a time, by cylinder, head and sector. */
by_geometry:
        movb    $0x08, %ah
        xorw    %di, %di                /* ES:DI = 0 works around BIOS bugs */
        call    disk
        jc      fail_read
        andw    $0x3f, %cx              /* sectors a track */
        jz      fail_read
        movw    %cx, TRACK
        movzbw  %dh, %ax
        incw    %ax
        movw    %ax, HEADS
        pushw   %ss
        popw    %es                     /* function 08h changes ES:DI on floppies */
        movw    $1, %si                 /* LBA */
        movw    $STAGE2_AT, %bx
2:      movw    $TRIES, %bp
3:      movw    %si, %ax
        xorw    %dx, %dx
        divw    TRACK
        movw    %dx, %cx                /* sector, from 0 */
        incw    %cx
        xorw    %dx, %dx
        divw    HEADS                   /* AX = cylinder, under 256 here; DX = head */
        movb    %al, %ch
        movb    %dl, %dh
        movw    $0x0201, %ax
        call    disk
        jnc     4f
        call    reset_or_fail
        jmp     3b
4:      addw    $SECTOR_SIZE, %bx
        incw    %si
        cmpw    stage2_sectors, %si     /* LBA 1 is the first, so LBA N the last */
        jbe     2b

/* The words of an intact second stage add up to IMAGE_TABLE_MAGIC, which is not 0: a stage of zeros is refused. */
loaded:
        movw    stage2_sectors, %cx
        shlw    $7, %cx                 /* 128 words of four bytes a sector */
        movw    $STAGE2_AT, %si
        xorl    %ebx, %ebx
5:      lodsl
        addl    %eax, %ebx
        loop    5b
        cmpl    $IMAGE_TABLE_MAGIC, %ebx
        movw    $damaged, %si
        jne     fail
        movb    DRIVE, %dl
        jmp     STAGE2_AT

/* Counts BP down and resets the drive; does not return when the tries are used up. */
reset_or_fail:
        decw    %bp
        jz      fail_read
        xorb    %ah, %ah

/* Calls interrupt 13h for the boot drive: DL is loaded again for each call. */
disk:   movb    DRIVE, %dl
        int     $0x13
        ret

fail_read:
        movw    $unreadable, %si
fail:
        call    print
6:      cli
        hlt
        jmp     6b

/* Prints the text at SI on the screen and on COM1. Changes AX, BX, CX, DX, SI. */
print:
        lodsb
        testb   %al, %al
        jz      9f
        movb    $0x0e, %ah
        movw    $7, %bx
        pushw   %ax
        int     $0x10
        movw    $COM1 + 5, %dx
        xorw    %cx, %cx                /* polls a transmitter, which may not exist, 65,536 times */
7:      inb     %dx, %al
        testb   $0x20, %al
        loopz   7b
        popw    %ax
        movb    $COM1 & 0xff, %dl
        outb    %al, %dx
        jmp     print
9:      ret

name:       .asciz "HLeOs "
unreadable: .asciz "E01 cannot read the disk\r\n"
damaged:    .asciz "E02 second stage damaged\r\n"

        .balign 2
packet: .byte   16, 0                   /* EDD 3.0, 3.3: device address packet */
packet_count:
        .word   0
        .word   STAGE2_AT, 0            /* offset, segment */
        .quad   1                       /* LBA */

        .org    STAGE2_SECTORS_OFFSET
stage2_sectors:
        .word   0                       /* set by mkimage, like the disk signature and the partitions */
        .org    510
        .word   0xaa55
