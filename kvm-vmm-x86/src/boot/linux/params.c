/*
 * The boot parameters of a Linux kernel; see params.h. Command line:
 * Documentation/admin-guide/kernel-parameters.txt; the zero page:
 * Documentation/arch/x86/zero-page.rst; PVH's start information: abi/pvh.h. The last two contain
 * the same memory map.
 */
#include "boot/linux/params.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "abi/pvh.h"
#include "cpu/linux.h"

/*
 * A panic resets the machine at once. It does a warm reset and an ordinary reboot a cold one, so
 * that the VMM can tell them apart (linux_reset_is_warm). The reset goes through the keyboard
 * controller, which exists without ACPI too.
 */
static const struct {
    const char *key; /* the parameter up to its '=' */
    const char *text;
} linux_proposals[] = {
    {"console=", "console=ttyS0"},
    {"panic=", "panic=-1"},
    {"reboot=", "reboot=k,panic_warm"},
    {"pci=", "pci=off"},
};

/* Whether the line has the word `word` or, if that ends in '=', a word that begins with it. Words
 * after "--" belong to init. */
static bool names(const char *line, const char *word)
{
    size_t length = strlen(word);

    for (const char *at = line; at != NULL; at = strchr(at, ' ')) {
        at += strspn(at, " ");
        if (strncmp(at, "-- ", 3) == 0)
            return false;
        if (strncmp(at, word, length) == 0 &&
            (word[length - 1] == '=' || at[length] == ' ' || at[length] == '\0'))
            return true;
    }
    return false;
}

/* Appends a word; what does not fit is only counted. */
static size_t add(char *line, size_t size, size_t used, const char *text)
{
    size_t at = used < size ? used : size;
    int n = snprintf(line + at, size - at, "%s%s", used > 0 ? " " : "", text);

    return used + (n > 0 ? (size_t)n : 0);
}

size_t linux_command_line(char *line, size_t size, const char *append, bool pci)
{
    size_t used = 0;

    if (append == NULL)
        append = "";
    for (size_t i = 0; i < sizeof linux_proposals / sizeof linux_proposals[0]; i++)
        if (!names(append, linux_proposals[i].key) &&
            (!pci || strcmp(linux_proposals[i].key, "pci=") != 0))
            used = add(line, size, used, linux_proposals[i].text);
    return append[0] != '\0' ? add(line, size, used, append) : used;
}

bool linux_has_no_lapic(const char *append)
{
    return append != NULL &&
           (names(append, "nolapic") || names(append, "disableapic") || names(append, "acpi=off"));
}

bool linux_reset_is_panic(const char *append)
{
    return append == NULL || !names(append, "reboot=");
}

enum { FLAG = 0x472, WARM = 0x1234, UNTOUCHED = 0xb007 };

bool linux_reset_is_warm(const struct memory *memory)
{
    uint16_t flag;

    return memory_read(memory, FLAG, &flag, sizeof flag) && flag == WARM;
}

bool linux_mark_flag(const struct memory *memory)
{
    uint16_t flag = UNTOUCHED;

    return memory_write(memory, FLAG, &flag, sizeof flag);
}

bool linux_is_resetting(const struct memory *memory)
{
    uint16_t flag;

    return memory_read(memory, FLAG, &flag, sizeof flag) && flag != UNTOUCHED;
}

enum { CPIO_ALIGN = 4 };

static uint64_t padded(uint64_t size, uint64_t align)
{
    return (size + align - 1) & ~(align - 1);
}

/* RAM is zero, so the padding is there already. */
int linux_place_initrds(const struct boot_request *request, gpa_t kernel_end, gpa_t last,
                        bool apart, struct linux_params *params, struct error *error)
{
    gpa_t limit = request->limit - 1 > last ? last + 1 : request->limit, at = 0;
    uint64_t align = apart ? PAGE_SIZE : CPIO_ALIGN, size = 0;
    uint8_t *to;

    params->module_count = 0;
    for (unsigned i = 0; i < request->initrd_count; i++)
        size += padded(request->initrds[i].size, align);
    if (size == 0)
        return 0;
    if (kernel_end > limit || size > limit - kernel_end ||
        (at = (limit - size) & ~(uint64_t)(PAGE_SIZE - 1)) < kernel_end)
        return error_set(error,
                         "%s: an initial ramdisk of %luK does not fit behind the kernel (-m)",
                         request->image->path, (size + KIB - 1) / KIB);
    to = memory_at(request->memory, at, size);
    if (to == NULL)
        return error_set(error, "%s: no memory for its initial ramdisk", request->image->path);
    if (!apart)
        params->modules[params->module_count++] = (struct linux_module){.at = at, .size = size};
    for (unsigned i = 0; i < request->initrd_count; i++) {
        const struct image *file = &request->initrds[i];

        memcpy(to, file->bytes, file->size);
        if (apart)
            params->modules[params->module_count++] =
                (struct linux_module){.at = at, .size = file->size, .text = file->name};
        to += padded(file->size, align);
        at += padded(file->size, align);
    }
    return 0;
}

enum { RANGES_MAX = 4, E820_RAM = 1, E820_RESERVED = 2 };
enum { LOADER_UNDEFINED = 0xff }; /* boot.rst, type_of_loader: no assigned number */

struct range {
    gpa_t from, to;
    uint32_t type; /* E820's and PVH's numbers are the same */
};

_Static_assert((int)PVH_MEMORY_RAM == (int)E820_RAM &&
                   (int)PVH_MEMORY_RESERVED == (int)E820_RESERVED,
               "one map serves both");

static unsigned map_memory(const struct memory *memory, struct range ranges[RANGES_MAX])
{
    unsigned count = 0;

    ranges[count++] = (struct range){0, LINUX_GAP_START, E820_RAM};
    ranges[count++] = (struct range){LINUX_GAP_START, LINUX_GAP_END, E820_RESERVED};
    ranges[count++] = (struct range){LINUX_GAP_END, memory_low_end(memory), E820_RAM};
    if (memory->count > 1)
        ranges[count++] = (struct range){memory->slots[1].base, memory_end(memory), E820_RAM};
    return count;
}

bool linux_write_zero_page(const struct memory *memory, const struct linux_params *params)
{
    struct boot_params zero = {.hdr = params->header};
    struct range ranges[RANGES_MAX];

    zero.hdr.type_of_loader = LOADER_UNDEFINED;
    zero.hdr.loadflags |= LOADED_HIGH;
    zero.hdr.cmd_line_ptr = (uint32_t)params->command_line;
    if (params->module_count > 0) {
        zero.hdr.ramdisk_image = (uint32_t)params->modules[0].at;
        zero.hdr.ramdisk_size = (uint32_t)params->modules[0].size;
    }
    zero.hdr.setup_data = 0;
    zero.acpi_rsdp_addr = params->rsdp;
    zero.e820_entries = (uint8_t)map_memory(memory, ranges);
    for (unsigned i = 0; i < zero.e820_entries; i++)
        zero.e820_table[i] = (struct boot_e820_entry){
            .addr = ranges[i].from, .size = ranges[i].to - ranges[i].from, .type = ranges[i].type};
    return memory_write(memory, LINUX_ZERO_PAGE, &zero, sizeof zero);
}

bool linux_write_start_info(const struct memory *memory, const struct linux_params *params)
{
    struct {
        struct pvh_start_info info;
        struct pvh_module modules[INITRDS_MAX];
        struct pvh_memory map[RANGES_MAX];
        char text[LINUX_MODULE_TEXT];
    } page = {.info = {.magic = PVH_START_MAGIC, .version = PVH_START_VERSION}};
    struct range ranges[RANGES_MAX];
    gpa_t at = LINUX_START_INFO;
    size_t used = 0;

    _Static_assert(sizeof page <= PAGE_SIZE, "page tables follow");
    for (unsigned i = 0; i < params->module_count; i++) {
        const struct linux_module *m = &params->modules[i];
        size_t length = m->text != NULL ? strlen(m->text) + 1 : 0;

        page.modules[i] = (struct pvh_module){.address = m->at, .size = m->size};
        if (length == 0)
            continue;
        if (length > sizeof page.text - used)
            return false;
        page.modules[i].command_line = at + offsetof(typeof(page), text) + used;
        memcpy(page.text + used, m->text, length);
        used += length;
    }
    page.info.module_count = params->module_count;
    page.info.modules = at + offsetof(typeof(page), modules);
    page.info.command_line = params->command_line;
    page.info.rsdp = params->rsdp;
    page.info.memory_map = at + offsetof(typeof(page), map);
    page.info.memory_map_entries = map_memory(memory, ranges);
    for (unsigned i = 0; i < page.info.memory_map_entries; i++)
        page.map[i] = (struct pvh_memory){.address = ranges[i].from,
                                          .size = ranges[i].to - ranges[i].from,
                                          .type = ranges[i].type};
    return memory_write(memory, at, &page, sizeof page);
}
