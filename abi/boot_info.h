/*
 * What a boot loader tells HLeOs: one block, complete in itself, that our own BIOS loader
 * (HLeOs/HLeOs/boot) and our VMM fill in alike. A UEFI loader would fill in the same block.
 *
 * The contract at the kernel's entry point:
 *
 *   - 64-bit mode, interrupts off, DF clear, paging on;
 *   - an identity map of at least the first 4 GB of what the memory map calls usable;
 *   - RDI = physical address of this block, below 4 GB, 8-byte aligned;
 *   - the kernel's segments lie in one piece at any 4 KB aligned address below 4 GB, each at
 *     kernel_base + (its p_paddr - the lowest p_paddr); RIP = e_entry moved by the same distance;
 *   - a kernel that wants the block has BOOT_INFO_MAGIC, 8-byte aligned, in its file's first 16 KB;
 *   - no stack is promised: the kernel brings its own.
 *
 * After the kernel has copied the block, everything the map calls usable is the kernel's, the
 * loader's own tables included.
 */
#ifndef ABI_BOOT_INFO_H
#define ABI_BOOT_INFO_H

#define BOOT_INFO_MAGIC   0x01004f654c4821 /* "!HLeO" and a version of the magic */
#define BOOT_INFO_VERSION 1

#define BOOT_COMMAND_LINE_MAX 256
#define BOOT_LOADER_NAME_MAX  16
#define BOOT_MEMORY_MAX       96

#ifndef __ASSEMBLY__
#include <stddef.h>
#include <stdint.h>

/* Types of BIOS interrupt 15h, function E820h: ACPI 6.4, table 15.374. */
enum boot_memory_type {
    BOOT_MEMORY_USABLE = 1,
    BOOT_MEMORY_RESERVED = 2,
    BOOT_MEMORY_ACPI = 3,
    BOOT_MEMORY_ACPI_NVS = 4,
    BOOT_MEMORY_BAD = 5,
};

/* A range of physical addresses. Ranges may overlap and come in any order: the kernel sorts it out.
 */
struct boot_memory {
    uint64_t base, length;
    uint32_t type;
    uint32_t attributes; /* ACPI 3.0 extended attributes; bit 0 set where the loader knows none */
};

struct boot_info {
    uint64_t magic;
    uint32_t version;
    uint32_t size;        /* of this structure, as the loader knows it */
    uint64_t kernel_base; /* physical address of the kernel's first segment */
    uint64_t
        kernel_size;     /* bytes in memory, from the first segment's start to the last one's end */
    uint64_t rsdp;       /* physical address of ACPI's root pointer; 0: not known, search for it */
    uint32_t boot_drive; /* the BIOS drive number; 0xffffffff: no drive */
    uint32_t memory_count;                    /* entries of memory[] in use */
    char loader[BOOT_LOADER_NAME_MAX];        /* who filled this in; terminated */
    char command_line[BOOT_COMMAND_LINE_MAX]; /* words NAME or NAME=VALUE; terminated */
    struct boot_memory memory[BOOT_MEMORY_MAX];
};

_Static_assert(sizeof(struct boot_memory) == 24, "the record E820h writes");
_Static_assert(offsetof(struct boot_info, loader) == 48,
               "no holes: loaders of 32 and 64 bits agree");
_Static_assert(offsetof(struct boot_info, memory) == 320, "no holes");
_Static_assert(sizeof(struct boot_info) <= 4096, "a page holds it");
#endif

#endif
