/*
 * Loads the kernel's ELF file: first the whole file, whose CRC-32 is checked, then a copy of its
 * segments in one piece. Both addresses come from the memory map.
 */
#include "kernel.h"

#include "common/crc32.h"
#include "common/elf.h"
#include "common/string.h"
#include "console.h"
#include "memory.h"

/* The range of physical addresses of all segments of the kernel. */
struct extent {
    uint64_t base, end;
};

static void no_room(const struct boot_info *info, uint32_t needed)
{
    console_text("HLeOs E12 too little memory: ");
    console_number(needed >> 10);
    console_text(" KB needed in one piece above 1 MB, ");
    console_number(memory_usable_kb(info));
    console_text(" KB are there\r\n");
    console_halt();
}

static void read_file(struct disk *disk, const struct image_table *table, uint8_t *to)
{
    uint32_t read = disk_read(disk, table->kernel_lba, table->kernel_sectors, to);
    bool complete = read == table->kernel_sectors;
    bool whole = complete && crc32_update(0, to, table->kernel_bytes) == table->kernel_crc32;

    console_text("kernel: ");
    console_number(read);
    console_text(" of ");
    console_number(table->kernel_sectors);
    console_text(complete ? whole ? " sectors, crc ok" : " sectors, crc wrong" : " sectors");
    console_line_end();
    if (!complete) {
        console_text("HLeOs E21 the disk cannot be read: sector ");
        console_number(table->kernel_lba + read);
        console_text(", BIOS status ");
        console_hex(disk->error);
        console_line_end();
        console_halt();
    }
    if (!whole)
        console_fail("E22", "the kernel on the disk is damaged");
}

static struct elf_segment segment(const struct elf_file *elf, unsigned index)
{
    struct elf_segment s;

    if (elf_segment(elf, index, &s) != ELF_OK)
        console_fail("E31", "a segment of the kernel lies outside its file");
    return s;
}

static struct extent measure(const struct elf_file *elf)
{
    struct extent extent = {.base = UINT64_MAX};

    for (unsigned i = 0; i < elf->phnum; i++) {
        struct elf_segment s = segment(elf, i);

        if (s.type != ELF_PT_LOAD || s.memsz == 0)
            continue;
        if (s.paddr < extent.base)
            extent.base = s.paddr;
        if (s.paddr + s.memsz > extent.end)
            extent.end = s.paddr + s.memsz;
    }
    if (extent.end == 0 || extent.end - extent.base > 0x10000000)
        console_fail("E32", "the kernel has no segments, or too large ones");
    return extent;
}

static void place(const struct elf_file *elf, const struct extent *extent, uint8_t *to)
{
    memset(to, 0, (size_t)(extent->end - extent->base));
    for (unsigned i = 0; i < elf->phnum; i++) {
        struct elf_segment s = segment(elf, i);

        if (s.type == ELF_PT_LOAD && s.memsz > 0)
            memcpy(to + (size_t)(s.paddr - extent->base), elf->bytes + (size_t)s.offset,
                   (size_t)s.filesz);
    }
}

uint32_t kernel_load(struct disk *disk, const struct image_table *table, struct boot_info *info)
{
    uint32_t file_size = table->kernel_sectors * SECTOR_SIZE;
    uint32_t file = memory_find(info, file_size, 0, 0);
    struct elf_file elf;
    struct extent extent;
    uint32_t base, size;

    if (file == 0)
        no_room(info, file_size);
    read_file(disk, table, (uint8_t *)file);
    if (elf_open(&elf, (const void *)file, table->kernel_bytes) != ELF_OK || !elf.is64 ||
        elf.machine != ELF_MACHINE_X86_64)
        console_fail("E30", "the kernel is not an ELF file for x86-64");
    extent = measure(&elf);
    size = (uint32_t)(extent.end - extent.base);
    base = memory_find(info, size, file, file_size);
    if (base == 0)
        no_room(info, file_size + size);
    if (elf.entry < extent.base || elf.entry >= extent.end)
        console_fail("E33", "the kernel's entry lies outside its segments");
    place(&elf, &extent, (uint8_t *)base);
    info->kernel_base = base;
    info->kernel_size = size;
    return base + (uint32_t)(elf.entry - extent.base);
}
