/* Reads the Multiboot information (version 0.6.96, section 3.3). */
#include "kernel/memory/boot_info.h"

#include <stddef.h>

#include "common/string.h"
#include "kernel/cpu/fault.h"
#include "kernel/memory/image.h"

enum {
    MULTIBOOT_MAGIC = 0x2badb002,
    FLAG_MEMORY = 1 << 0,
    FLAG_COMMAND_LINE = 1 << 2,
    FLAG_MEMORY_MAP = 1 << 6,
    FLAG_LOADER_NAME = 1 << 9,
    MEMORY_AVAILABLE = 1,
    REGION_LIMIT = 0x40000000, /* the kernel uses the first gigabyte */
};

struct information {
    uint32_t flags, memory_lower, memory_upper, boot_device, command_line;
    uint32_t modules[2], symbols[4];
    uint32_t map_length, map_address;
    uint32_t drives[2], config_table, loader_name;
};
_Static_assert(offsetof(struct information, map_length) == 44, "Multiboot 0.6.96, section 3.3");
_Static_assert(offsetof(struct information, loader_name) == 64, "Multiboot 0.6.96, section 3.3");

struct map_entry {
    uint32_t size; /* of what follows */
    uint64_t begin, length;
    uint32_t type;
} __attribute__((packed));

struct boot_info boot_info;

/* Remembers a range of free memory, as far as it lies above the image and below the limit. Nothing
 * below the image is used: a loader may still have something there. */
static void add_region(uint64_t begin, uint64_t end)
{
    uint64_t first = image_physical(image_end);

    if (end > REGION_LIMIT)
        end = REGION_LIMIT;
    if (begin < first)
        begin = first;
    begin = (begin + PAGE_SIZE - 1) & -(uint64_t)PAGE_SIZE;
    end &= -(uint64_t)PAGE_SIZE;
    if (begin < end && boot_info.regions < BOOT_REGIONS)
        boot_info.memory[boot_info.regions++] =
            (struct boot_region){(uint32_t)begin, (uint32_t)end};
}

static void read_map(uint32_t address, uint32_t length)
{
    for (uint32_t at = 0; at + sizeof(struct map_entry) <= length;) {
        const struct map_entry *entry = image_virtual(address + at);

        if (entry->type == MEMORY_AVAILABLE)
            add_region(entry->begin, entry->begin + entry->length);
        at += entry->size + sizeof entry->size;
    }
}

void boot_info_read(uint32_t magic, uint32_t address)
{
    const struct information *info = image_virtual(address);

    string_copy(boot_info.loader, "unknown", sizeof boot_info.loader);
    if (magic != MULTIBOOT_MAGIC)
        fault_panic("the boot loader left no multiboot information");
    if (info->flags & FLAG_LOADER_NAME)
        string_copy(boot_info.loader, image_virtual(info->loader_name), sizeof boot_info.loader);
    if (info->flags & FLAG_COMMAND_LINE)
        string_copy(boot_info.command_line, image_virtual(info->command_line),
                    sizeof boot_info.command_line);
    if (info->flags & FLAG_MEMORY_MAP)
        read_map(info->map_address, info->map_length);
    else if (info->flags & FLAG_MEMORY)
        add_region(0x100000, 0x100000 + (uint64_t)info->memory_upper * 1024);
    if (boot_info.regions == 0)
        fault_panic("the boot loader named no usable memory");
}

bool boot_info_option(const char *word)
{
    size_t length = strlen(word);

    for (const char *at = boot_info.command_line; *at != '\0'; at++)
        if ((at == boot_info.command_line || at[-1] == ' ') && strncmp(at, word, length) == 0 &&
            (at[length] == ' ' || at[length] == '\0'))
            return true;
    return false;
}
