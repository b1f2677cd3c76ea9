/* Writes boot_info as HLeOs's BIOS loader does; see boot_info.h. */
#include "boot/boot_info.h"

#include <stdio.h>
#include <string.h>

#include "abi/boot_info.h"

enum { SEARCH = 16384 };

/* Where a PC has no RAM: video memory and firmware. */
#define LOW_END    (640 * KIB)
#define HIGH_START MIB

bool boot_info_wanted(const uint8_t *bytes, size_t size)
{
    size_t end = size < SEARCH ? size : SEARCH;
    uint64_t word;

    for (size_t at = 0; at + sizeof word <= end; at += sizeof word) {
        memcpy(&word, bytes + at, sizeof word);
        if (word == BOOT_INFO_MAGIC)
            return true;
    }
    return false;
}

static void add(struct boot_info *info, gpa_t from, gpa_t to, enum boot_memory_type type)
{
    if (from < to)
        info->memory[info->memory_count++] =
            (struct boot_memory){.base = from, .length = to - from, .type = type, .attributes = 1};
}

void boot_info_write(const struct memory *memory, gpa_t reserved, gpa_t rsdp,
                     const char *command_line)
{
    struct boot_info info = {.magic = BOOT_INFO_MAGIC,
                             .version = BOOT_INFO_VERSION,
                             .size = sizeof info,
                             .rsdp = rsdp,
                             .boot_drive = UINT32_MAX};

    snprintf(info.loader, sizeof info.loader, "kvm-vmm");
    snprintf(info.command_line, sizeof info.command_line, "%s", command_line);
    add(&info, 0, LOW_END, BOOT_MEMORY_USABLE);
    add(&info, LOW_END, HIGH_START, BOOT_MEMORY_RESERVED);
    add(&info, HIGH_START, reserved, BOOT_MEMORY_USABLE);
    add(&info, reserved, memory_low_end(memory), BOOT_MEMORY_RESERVED);
    if (memory->count > 1)
        add(&info, memory->slots[1].base, memory_end(memory), BOOT_MEMORY_USABLE);
    if (!memory_write(memory, BOOT_INFO_ADDRESS, &info, sizeof info))
        return; /* the smallest RAM of this mode has that page */
}
