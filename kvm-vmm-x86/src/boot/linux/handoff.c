/*
 * Writes the zero page (Documentation/arch/x86/zero-page.rst) and PVH's start information
 * (abi/pvh.h); see handoff.h. Both carry the same map of memory.
 */
#include "boot/linux/handoff.h"

#include <stddef.h>

#include "abi/pvh.h"
#include "boot/linux/layout.h"

enum { RANGES_MAX = 4, E820_RAM = 1, E820_RESERVED = 2 };
enum { LOADER_UNDEFINED = 0xff }; /* boot.rst, type_of_loader: one without a number of its own */

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
        ranges[count++] = (struct range){memory->regions[1].base, memory_end(memory), E820_RAM};
    return count;
}

bool handoff_write_zero_page(const struct memory *memory, const struct handoff *handoff)
{
    struct boot_params zero = {.hdr = handoff->header};
    struct range ranges[RANGES_MAX];

    zero.hdr.type_of_loader = LOADER_UNDEFINED;
    zero.hdr.loadflags |= LOADED_HIGH;
    zero.hdr.cmd_line_ptr = (uint32_t)handoff->command_line;
    zero.hdr.ramdisk_image = (uint32_t)handoff->initrd;
    zero.hdr.ramdisk_size = (uint32_t)handoff->initrd_size;
    zero.hdr.setup_data = 0;
    zero.acpi_rsdp_addr = handoff->rsdp;
    zero.e820_entries = (uint8_t)map_memory(memory, ranges);
    for (unsigned i = 0; i < zero.e820_entries; i++)
        zero.e820_table[i] = (struct boot_e820_entry){
            .addr = ranges[i].from, .size = ranges[i].to - ranges[i].from, .type = ranges[i].type};
    return memory_write(memory, LINUX_ZERO_PAGE, &zero, sizeof zero);
}

bool handoff_write_start_info(const struct memory *memory, const struct handoff *handoff)
{
    struct {
        struct pvh_start_info info;
        struct pvh_module initrd;
        struct pvh_memory map[RANGES_MAX];
    } page = {.info = {.magic = PVH_START_MAGIC, .version = PVH_START_VERSION}};
    struct range ranges[RANGES_MAX];
    gpa_t at = LINUX_START_INFO;

    page.initrd = (struct pvh_module){.address = handoff->initrd, .size = handoff->initrd_size};
    page.info.module_count = handoff->initrd_size > 0;
    page.info.modules = at + offsetof(typeof(page), initrd);
    page.info.command_line = handoff->command_line;
    page.info.rsdp = handoff->rsdp;
    page.info.memory_map = at + offsetof(typeof(page), map);
    page.info.memory_map_entries = map_memory(memory, ranges);
    for (unsigned i = 0; i < page.info.memory_map_entries; i++)
        page.map[i] = (struct pvh_memory){.address = ranges[i].from,
                                          .size = ranges[i].to - ranges[i].from,
                                          .type = ranges[i].type};
    return memory_write(memory, at, &page, sizeof page);
}
