/*
 * Multiboot 1: how a boot loader finds a 32-bit kernel and what it tells it. Multiboot
 * Specification 0.6.96, sections 3.1 to 3.3. Read by C and by assembly.
 */
#ifndef ABI_MULTIBOOT_H
#define ABI_MULTIBOOT_H

#define MULTIBOOT_HEADER_MAGIC 0x1badb002
#define MULTIBOOT_BOOT_MAGIC                                                                       \
    0x2badb002                /* in EAX at the kernel's entry; EBX: address of the information */
#define MULTIBOOT_SEARCH 8192 /* the header lies within that many bytes, aligned to 4 */

/* A header's flags: what the kernel demands. Bits 0 to 15 that a loader does not know are refused.
 */
#define MULTIBOOT_ALIGN_MODULES 0x00000001
#define MULTIBOOT_WANT_MEMORY   0x00000002
#define MULTIBOOT_WANT_VIDEO    0x00000004
#define MULTIBOOT_HAS_ADDRESSES 0x00010000
#define MULTIBOOT_REQUIREMENTS  0x0000ffff
#define MULTIBOOT_VIDEO_TEXT    1 /* the mode type of a text screen */

#define MULTIBOOT_INFO_MEMORY      0x001
#define MULTIBOOT_INFO_CMDLINE     0x004
#define MULTIBOOT_INFO_MODS        0x008
#define MULTIBOOT_INFO_MMAP        0x040
#define MULTIBOOT_INFO_LOADER_NAME 0x200

#define MULTIBOOT_MEMORY_AVAILABLE 1
#define MULTIBOOT_MEMORY_RESERVED  2

#ifndef __ASSEMBLY__

#include <stdint.h>

/* The addresses stand in a header with MULTIBOOT_HAS_ADDRESSES; the screen's mode with
 * MULTIBOOT_WANT_VIDEO. */
struct multiboot_header {
    uint32_t magic, flags, checksum; /* their sum is 0 */
    uint32_t header_addr, load_addr, load_end_addr, bss_end_addr, entry_addr;
    uint32_t mode_type, width, height, depth;
};

struct multiboot_module {
    uint32_t start, end, string, reserved;
};

struct multiboot_info {
    uint32_t flags;
    uint32_t mem_lower, mem_upper; /* KiB below 1 MiB, and above it up to the first hole */
    uint32_t boot_device;
    uint32_t cmdline; /* address of a terminated string */
    uint32_t mods_count, mods_addr;
    uint32_t syms[4];
    uint32_t mmap_length, mmap_addr; /* bytes, address */
    uint32_t drives_length, drives_addr;
    uint32_t config_table;
    uint32_t boot_loader_name;
    uint32_t apm_table;
};

struct multiboot_mmap_entry {
    uint32_t size; /* of the rest of the entry: 20 */
    uint64_t base, length;
    uint32_t type;
} __attribute__((packed));

_Static_assert(sizeof(struct multiboot_header) == 48, "Multiboot 0.6.96, section 3.1");
_Static_assert(sizeof(struct multiboot_module) == 16, "Multiboot 0.6.96, section 3.3");
_Static_assert(sizeof(struct multiboot_info) == 72, "Multiboot 0.6.96, section 3.3");
_Static_assert(sizeof(struct multiboot_mmap_entry) == 24, "Multiboot 0.6.96, section 3.3");

#endif
#endif
