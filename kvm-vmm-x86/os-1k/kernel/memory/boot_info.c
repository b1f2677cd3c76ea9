/* Reads the Multiboot information (version 0.6.96, section 3.3). */
#include "kernel/memory/boot_info.h"

#include <stddef.h>

#include "abi/multiboot.h"
#include "common/string.h"
#include "kernel/cpu/fault.h"
#include "kernel/memory/image.h"

enum { REGION_LIMIT = 0x40000000 }; /* the kernel uses the first gigabyte */

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
    for (uint32_t at = 0; at + sizeof(struct multiboot_mmap_entry) <= length;) {
        const struct multiboot_mmap_entry *entry = image_virtual(address + at);

        if (entry->type == MULTIBOOT_MEMORY_AVAILABLE)
            add_region(entry->base, entry->base + entry->length);
        at += entry->size + sizeof entry->size;
    }
}

void boot_info_read(uint32_t magic, uint32_t address)
{
    const struct multiboot_info *info = image_virtual(address);

    string_copy(boot_info.loader, "unknown", sizeof boot_info.loader);
    if (magic != MULTIBOOT_BOOT_MAGIC)
        fault_panic("the boot loader left no multiboot information");
    if (info->flags & MULTIBOOT_INFO_LOADER_NAME)
        string_copy(boot_info.loader, image_virtual(info->boot_loader_name),
                    sizeof boot_info.loader);
    if (info->flags & MULTIBOOT_INFO_CMDLINE)
        string_copy(boot_info.command_line, image_virtual(info->cmdline),
                    sizeof boot_info.command_line);
    if (info->flags & MULTIBOOT_INFO_MMAP)
        read_map(info->mmap_addr, info->mmap_length);
    else if (info->flags & MULTIBOOT_INFO_MEMORY)
        add_region(0x100000, 0x100000 + (uint64_t)info->mem_upper * 1024);
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
