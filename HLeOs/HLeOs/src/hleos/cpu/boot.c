/* Copies and checks the boot_info; see boot.h. The loader is trusted like the BIOS, but its numbers
 * are checked. */
#include "cpu/boot.h"

#include "common/string.h"
#include "cpu/panic.h"
#include "std/memory_map.h"

extern char kernel_start[], kernel_end[];

static struct boot_info boot_info;

void boot_take(uint64_t info, uint64_t image)
{
    const struct boot_info *given = (const struct boot_info *)info;

    if (info == 0 || info % 8 != 0 || given->magic != BOOT_INFO_MAGIC)
        panic("no boot_info at %#lx: this kernel needs a loader that passes one", info);
    if (given->version != BOOT_INFO_VERSION || given->size < sizeof *given)
        panic("boot_info is of version %u, %u bytes", given->version, given->size);
    memcpy(&boot_info, given, sizeof boot_info);
    boot_info.loader[BOOT_LOADER_NAME_MAX - 1] = '\0';
    boot_info.command_line[BOOT_COMMAND_LINE_MAX - 1] = '\0';
    boot_info.memory_count = memory_map_normalise(boot_info.memory, boot_info.memory_count);
    boot_info.kernel_base = image;
    boot_info.kernel_size = (uint64_t)(kernel_end - kernel_start);
}

const struct boot_info *boot_information(void)
{
    return &boot_info;
}

const char *boot_option(const char *name)
{
    static char value[BOOT_COMMAND_LINE_MAX];
    const char *p = boot_info.command_line;
    size_t length = strlen(name), n = 0;

    for (;;) {
        while (*p == ' ')
            p++;
        if (*p == '\0')
            return NULL;
        if (strncmp(p, name, length) == 0 &&
            (p[length] == '=' || p[length] == ' ' || p[length] == '\0'))
            break;
        while (*p != ' ' && *p != '\0')
            p++;
    }
    p += length + (p[length] == '=');
    while (p[n] != ' ' && p[n] != '\0')
        n++;
    string_copy(value, p, n + 1);
    return value;
}
