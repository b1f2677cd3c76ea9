/* Reads the Multiboot information (version 0.6.96, section 3.3). */
#include "kernel/memory/boot_info.h"

#include <stddef.h>

#include "abi/multiboot.h"
#include "common/string.h"
#include "kernel/cpu/fault.h"
#include "kernel/memory/page.h"

enum { HIGH_MEMORY = 0x100000 };

struct boot_info boot_info = {.loader = "unknown"};

void boot_info_read(uint32_t magic, uint32_t address)
{
    const struct multiboot_info *info = page_virtual(address);

    if (magic != MULTIBOOT_BOOT_MAGIC || !(info->flags & MULTIBOOT_INFO_MEMORY))
        fault_panic("the boot loader did not say how much memory there is");
    boot_info.memory_end = HIGH_MEMORY + info->mem_upper * 1024;
    if (info->flags & MULTIBOOT_INFO_LOADER_NAME)
        string_copy(boot_info.loader, page_virtual(info->boot_loader_name),
                    sizeof boot_info.loader);
    if (info->flags & MULTIBOOT_INFO_CMDLINE)
        string_copy(boot_info.command_line, page_virtual(info->cmdline),
                    sizeof boot_info.command_line);
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
