/*
 * The boot loader's memory below 1 MB, and the layout of its image. Used by the assembly, the C
 * code and mkimage.
 *
 *   0x00000  interrupt vectors and BIOS data (the BIOS's)
 *   0x01000  stack, growing down from 0x7c00
 *   0x07c00  boot sector
 *   0x08000  second stage, at most 32 KB
 *   0x10000  one disk transfer, 32 KB: within 64 KB, whose ends a floppy's DMA cannot cross
 *   0x20000  page tables: PML4, PDPT, four page directories
 *   0x26000  boot_info
 *   0x27000  end: what the BIOS has above stays as it is
 *
 */
#ifndef BOOT_LAYOUT_H
#define BOOT_LAYOUT_H

#define BOOT_SECTOR_AT 0x7c00
#define STACK_BOTTOM   0x1000
#define STACK_TOP      0x7c00
#define STAGE2_AT      0x8000
#define STAGE2_MAX     0x8000
#define TRANSFER_AT    0x10000
#define TRANSFER_MAX   0x8000
#define PAGE_TABLES_AT 0x20000
#define BOOT_INFO_AT   0x26000
#define LOW_MEMORY_END 0x27000

#define SECTOR_SIZE 512

/* Where the boot sector's code begins: behind the largest BIOS parameter block, FAT32's. */
#define BOOT_PARAMETERS_END 0x5a

/* A word in the boot sector: how many sectors of second stage follow it. */
#define STAGE2_SECTORS_OFFSET 0x1b4
/* The partition table's place in a boot sector, with the disk's signature before it. */
#define DISK_SIGNATURE_OFFSET 0x1b8
#define PARTITION_OFFSET      0x1be

/* The second stage begins with a jump, then the image table. */
#define IMAGE_TABLE_OFFSET 8
#define IMAGE_TABLE_MAGIC  0x32654c48 /* "HLe2" */
#define IMAGE_COMMAND_MAX  256

#define SELECTOR_CODE32 0x08
#define SELECTOR_DATA32 0x10
#define SELECTOR_CODE16 0x18
#define SELECTOR_DATA16 0x20
#define SELECTOR_CODE64 0x28

#ifndef __ASSEMBLY__
#include <stdint.h>

/* What mkimage writes into the second stage: where the kernel is, and how to know it is whole. */
struct image_table {
    uint32_t magic;
    uint32_t stage2_balance; /* makes the second stage's 32-bit words add up to the magic */
    uint32_t kernel_lba, kernel_sectors, kernel_bytes, kernel_crc32;
    char command_line[IMAGE_COMMAND_MAX];
};

_Static_assert(sizeof(struct image_table) == 24 + IMAGE_COMMAND_MAX, "stage2.S leaves this room");
#endif

#endif
