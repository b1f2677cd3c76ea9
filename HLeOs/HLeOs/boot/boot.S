/*
 * The boot sector: the 512 bytes that the BIOS loads to 0x7c00 and jumps to in real mode, with the
 * drive's number in DL. It loads the second stage behind it on the disk and goes on there.
 *
 * In:   DL = BIOS drive; CS:IP = 0x7c00 in one of its spellings; nothing else is certain
 * Out:  jumps to STAGE2_AT with DL = drive, all segments 0, SS:SP = 0:STACK_TOP, interrupts on
 *
 * Disk services: Phoenix EDD 3.0 (int 13h functions 41h, 42h); functions 00h, 02h, 08h where EDD is
 * missing. Every failure is one line with a code (docs/hleos.md has the table) on the screen and on
 * COM1, and then the machine stands still.
 */
#include "layout.h"

#define COM1       0x3f8
#define TRIES      3
#define EDD_MAGIC  0x55aa

        .code16
        .text
        .globl boot_sector
boot_sector:
        cld
        xorw    %ax, %ax
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %ss
        movw    $STACK_TOP, %sp         /* the CPU holds interrupts off until this is done */
        sti
        ljmp    $0, $start              /* CS too: a BIOS may have come by 07c0:0000 */

start:
        movb    %dl, drive
        call    serial_open
        movw    $name, %si
        call    print

        movb    $0x41, %ah              /* is EDD there? */
        movw    $EDD_MAGIC, %bx
        int     $0x13
        jc      by_geometry
        cmpw    $0xaa55, %bx
        jne     by_geometry
        testb   $1, %cl                 /* the packet functions among it */
        jz      by_geometry

/* Whole second stage in one packet. */
        movw    stage2_sectors, %ax
        movw    %ax, packet_count
        movw    $TRIES, %bp
1:      movw    $packet, %si
        movb    $0x42, %ah
        movb    drive, %dl
        int     $0x13
        jnc     loaded
        call    reset_or_fail
        jmp     1b

/* One sector at a time, by cylinder, head and sector. */
by_geometry:
        movb    $0x08, %ah
        movb    drive, %dl
        xorw    %di, %di                /* with ES:DI = 0 some BIOSes corrupt less */
        int     $0x13
        jc      fail_read
        andw    $0x3f, %cx              /* sectors a track */
        jz      fail_read
        movw    %cx, track
        movzbw  %dh, %ax
        incw    %ax
        movw    %ax, heads
        xorw    %ax, %ax
        movw    %ax, %es                /* function 08h changes ES:DI on floppies */
        movw    $1, %si                 /* LBA */
        movw    $STAGE2_AT, %di
2:      movw    $TRIES, %bp
3:      movw    %si, %ax
        xorw    %dx, %dx
        divw    track
        movw    %dx, %cx                /* sector, from 0 */
        incw    %cx
        xorw    %dx, %dx
        divw    heads                   /* AX = cylinder, under 256 here; DX = head */
        movb    %al, %ch
        movb    %dl, %dh
        movb    drive, %dl
        movw    %di, %bx
        movw    $0x0201, %ax
        int     $0x13
        jnc     4f
        call    reset_or_fail
        jmp     3b
4:      addw    $SECTOR_SIZE, %di
        incw    %si
        cmpw    stage2_sectors, %si     /* LBA 1 is the first, so LBA N the last */
        jbe     2b

/* The words of a whole second stage add up to zero. */
loaded:
        movw    stage2_sectors, %cx
        shlw    $7, %cx                 /* 128 words of four bytes a sector */
        movw    $STAGE2_AT, %si
        xorl    %ebx, %ebx
5:      lodsl
        addl    %eax, %ebx
        loop    5b
        testl   %ebx, %ebx
        movw    $damaged, %si
        jnz     fail
        cmpl    $IMAGE_TABLE_MAGIC, STAGE2_AT + IMAGE_TABLE_OFFSET
        jne     fail
        movb    drive, %dl
        ljmp    $0, $STAGE2_AT

/* Counts BP down and resets the drive; does not return when the tries are used up. */
reset_or_fail:
        decw    %bp
        jz      fail_read
        xorb    %ah, %ah
        movb    drive, %dl
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
        popw    %ax
        movb    %al, %ah
        movw    $COM1 + 5, %dx
        xorw    %cx, %cx                /* 65,536 looks at a transmitter that may not be there */
7:      inb     %dx, %al
        testb   $0x20, %al
        jnz     8f
        loop    7b
8:      movb    %ah, %al
        movw    $COM1, %dx
        outb    %al, %dx
        jmp     print
9:      ret

/* COM1: 115,200 baud, 8 bits, no parity, one stop bit. */
serial_open:
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
        ret

name:       .asciz "HLeOs "
unreadable: .asciz "E01 the disk cannot be read\r\n"
damaged:    .asciz "E02 the second stage is damaged\r\n"

        .balign 4
packet: .byte   16, 0                   /* EDD 3.0, 3.3: device address packet */
packet_count:
        .word   0
        .word   STAGE2_AT, 0            /* offset, segment */
        .quad   1                       /* LBA */
track:  .word   0
heads:  .word   0
drive:  .byte   0

        .org    STAGE2_SECTORS_OFFSET
stage2_sectors:
        .word   0                       /* mkimage's; the disk signature and partitions too */
        .org    510
        .word   0xaa55
