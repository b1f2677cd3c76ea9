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

#define MULTIBOOT_INFO_MEMORY      0x001
#define MULTIBOOT_INFO_CMDLINE     0x004
#define MULTIBOOT_INFO_MMAP        0x040
#define MULTIBOOT_INFO_LOADER_NAME 0x200

#define MULTIBOOT_MEMORY_AVAILABLE 1
#define MULTIBOOT_MEMORY_RESERVED  2

#ifndef __ASSEMBLY__

#include <stdint.h>

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

_Static_assert(sizeof(struct multiboot_info) == 72, "Multiboot 0.6.96, section 3.3");
_Static_assert(sizeof(struct multiboot_mmap_entry) == 24, "Multiboot 0.6.96, section 3.3");

#endif
#endif
