/*
 * Multiboot 2: how a boot loader finds a kernel and what it tells it. Multiboot2 Specification 2.0,
 * sections 3.1 to 3.6. Read by C and by assembly.
 */
#ifndef ABI_MULTIBOOT2_H
#define ABI_MULTIBOOT2_H

#define MULTIBOOT2_HEADER_MAGIC 0xe85250d6
#define MULTIBOOT2_BOOT_MAGIC                                                                      \
    0x36d76289                  /* in EAX at the kernel's entry; EBX: address of the information */
#define MULTIBOOT2_SEARCH 32768 /* the header lies within that many bytes, aligned to 8 */
#define MULTIBOOT2_I386   0     /* the header's architecture: 32-bit protected mode */

/* Tags of the header; one with bit 0 of its flags set may be ignored. */
#define MULTIBOOT2_HEADER_END           0
#define MULTIBOOT2_HEADER_INFORMATION   1
#define MULTIBOOT2_HEADER_ADDRESSES     2
#define MULTIBOOT2_HEADER_ENTRY         3
#define MULTIBOOT2_HEADER_CONSOLE       4
#define MULTIBOOT2_HEADER_FRAMEBUFFER   5
#define MULTIBOOT2_HEADER_ALIGN_MODULES 6
#define MULTIBOOT2_HEADER_EFI_SERVICES  7
#define MULTIBOOT2_HEADER_EFI_ENTRY_32  8
#define MULTIBOOT2_HEADER_EFI_ENTRY_64  9
#define MULTIBOOT2_HEADER_RELOCATABLE   10
#define MULTIBOOT2_OPTIONAL             1

/* Tags of the information. */
#define MULTIBOOT2_END         0
#define MULTIBOOT2_CMDLINE     1
#define MULTIBOOT2_LOADER_NAME 2
#define MULTIBOOT2_MODULE      3
#define MULTIBOOT2_MEMORY      4
#define MULTIBOOT2_MMAP        6
#define MULTIBOOT2_RSDP_1      14
#define MULTIBOOT2_RSDP_2      15
#define MULTIBOOT2_LOAD_BASE   21

#ifndef __ASSEMBLY__

#include <stdint.h>

struct multiboot2_header {
    uint32_t magic, architecture, length, checksum; /* their sum is 0; length with all tags */
};

/* Each begins at a multiple of 8 bytes; `size` does not count what is behind it up to the next. */
struct multiboot2_header_tag {
    uint16_t type, flags;
    uint32_t size;
};

struct multiboot2_addresses {
    struct multiboot2_header_tag tag;
    uint32_t header_addr, load_addr, load_end_addr, bss_end_addr;
};

struct multiboot2_entry {
    struct multiboot2_header_tag tag;
    uint32_t entry_addr;
};

/* The information: its size, a reserved word, then tags up to one of type MULTIBOOT2_END. */
struct multiboot2_tag {
    uint32_t type, size;
};

struct multiboot2_mmap_entry {
    uint64_t base, length;
    uint32_t type, reserved; /* types as in Multiboot 1 */
};

_Static_assert(sizeof(struct multiboot2_header) == 16, "Multiboot2 2.0, section 3.1.1");
_Static_assert(sizeof(struct multiboot2_addresses) == 24, "Multiboot2 2.0, section 3.1.5");
_Static_assert(sizeof(struct multiboot2_entry) == 12, "Multiboot2 2.0, section 3.1.6");
_Static_assert(sizeof(struct multiboot2_mmap_entry) == 24, "Multiboot2 2.0, section 3.6.8");

#endif
#endif
