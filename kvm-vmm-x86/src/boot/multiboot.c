/* Writes multiboot information: Multiboot Specification 0.6.96, section 3.3. */
#include "boot/multiboot.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "abi/multiboot.h"

enum { MAP_MAX = 5, COMMAND_LINE_MAX = 2048 };

/* Where a PC has no RAM below 1 MB. Ours has, but a kernel written for a PC expects the gap. */
#define LOW_END    (640 * KIB)
#define HIGH_START MIB

/* Everything in one page, so that one check covers it. */
struct page {
    struct multiboot_info info;
    struct multiboot_mmap_entry map[MAP_MAX];
    char loader_name[32];
    char command_line[COMMAND_LINE_MAX];
};

_Static_assert(sizeof(struct page) <= PAGE_SIZE, "the reserved range holds one page for it");

static void add_range(struct page *page, unsigned *count, gpa_t from, gpa_t to, uint32_t type)
{
    if (from < to)
        page->map[(*count)++] =
            (struct multiboot_mmap_entry){.size = sizeof page->map[0] - sizeof page->map[0].size,
                                          .base = from,
                                          .length = to - from,
                                          .type = type};
}

int multiboot_write_info(const struct memory *memory, gpa_t at, gpa_t reserved, const char *name,
                         const char *append, struct error *error)
{
    struct page page = {0};
    gpa_t low_end = memory_low_end(memory);
    gpa_t low = reserved < LOW_END ? reserved : LOW_END;
    unsigned count = 0;

    if (snprintf(page.command_line, sizeof page.command_line, "%s%s%s", name,
                 append != NULL ? " " : "", append != NULL ? append : "") >= COMMAND_LINE_MAX)
        return error_set(error, "%s: the kernel's command line is longer than %d bytes", name,
                         COMMAND_LINE_MAX - 1);
    add_range(&page, &count, 0, low, MULTIBOOT_MEMORY_AVAILABLE);
    if (reserved > HIGH_START)
        add_range(&page, &count, LOW_END, HIGH_START, MULTIBOOT_MEMORY_RESERVED);
    add_range(&page, &count, HIGH_START, reserved, MULTIBOOT_MEMORY_AVAILABLE);
    add_range(&page, &count, reserved, low_end, MULTIBOOT_MEMORY_RESERVED);
    if (memory->count > 1)
        add_range(&page, &count, memory->slots[1].base, memory_end(memory),
                  MULTIBOOT_MEMORY_AVAILABLE);
    snprintf(page.loader_name, sizeof page.loader_name, "%s", MULTIBOOT_LOADER_NAME);
    page.info = (struct multiboot_info){
        .flags = MULTIBOOT_INFO_MEMORY | MULTIBOOT_INFO_CMDLINE | MULTIBOOT_INFO_MMAP |
                 MULTIBOOT_INFO_LOADER_NAME,
        .mem_lower = (uint32_t)(low / KIB),
        .mem_upper = reserved > HIGH_START ? (uint32_t)((reserved - HIGH_START) / KIB) : 0,
        .cmdline = (uint32_t)(at + offsetof(struct page, command_line)),
        .mmap_length = (uint32_t)(count * sizeof page.map[0]),
        .mmap_addr = (uint32_t)(at + offsetof(struct page, map)),
        .boot_loader_name = (uint32_t)(at + offsetof(struct page, loader_name)),
    };
    if (!memory_write(memory, at, &page, sizeof page))
        return error_set(error, "%s: no memory for what its loader tells it", name);
    return 0;
}
