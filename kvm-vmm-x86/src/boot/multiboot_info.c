/* Writes the boot information of a multiboot kernel: Multiboot Specification 0.6.96, section 3.3,
 * and Multiboot2 Specification 2.0, section 3.6. Both carry the same facts. */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "abi/multiboot.h"
#include "abi/multiboot2.h"
#include "boot/multiboot.h"
#include "dev/virtio/device.h"

enum { MAP_MAX = 5, COMMAND_LINE_MAX = 2048, STRINGS_MAX = 1024, TAG_ALIGN = 8 };

/* BIOS data and calls that Xen uses: it places its trampoline by the size of low memory, and calls
 * the BIOS by `int` in real mode. Each call fails here, which Xen handles. */
#define BIOS_SERIAL_PORT UINT64_C(0x400)
#define BIOS_LOW_MEMORY  UINT64_C(0x413)
#define BIOS_CALL        UINT64_C(0xfff00)
#define SERIAL_PORT      0x3f8
enum { VECTORS = 256 };

static const uint8_t bios_call[] = {
    0x55,                   /* push %bp */
    0x89, 0xe5,             /* mov %sp, %bp */
    0x80, 0x4e, 0x06, 0x01, /* orb $1, 6(%bp): the caller's carry flag */
    0x5d,                   /* pop %bp */
    0xcf,                   /* iret */
};

/* Where a PC has no RAM below 1 MB. Ours has, but a kernel written for a PC expects the gap. */
#define LOW_END    (640 * KIB)
#define HIGH_START MIB

struct range {
    gpa_t from, to;
    uint32_t type;
};

static void add_range(struct range map[MAP_MAX], unsigned *count, gpa_t from, gpa_t to,
                      uint32_t type)
{
    if (from < to)
        map[(*count)++] = (struct range){from, to, type};
}

static gpa_t low_memory(const struct multiboot_facts *facts)
{
    return facts->reserved < LOW_END ? facts->reserved : LOW_END;
}

void multiboot_write_bios(const struct memory *memory, gpa_t reserved)
{
    const struct multiboot_facts facts = {.reserved = reserved};
    const uint16_t port = SERIAL_PORT, low = (uint16_t)(low_memory(&facts) / KIB);
    uint32_t vectors[VECTORS]; /* segment:offset */

    for (unsigned i = 0; i < VECTORS; i++)
        vectors[i] = (uint32_t)((BIOS_CALL & 0xf0000) >> 4 << 16 | (BIOS_CALL & 0xffff));
    if (!memory_write(memory, BIOS_CALL, bios_call, sizeof bios_call))
        return; /* less than 1 MB */
    (void)!memory_write(memory, 0, vectors, sizeof vectors);
    (void)!memory_write(memory, BIOS_SERIAL_PORT, &port, sizeof port);
    (void)!memory_write(memory, BIOS_LOW_MEMORY, &low, sizeof low);
}

static uint32_t upper_kib(const struct multiboot_facts *facts)
{
    return facts->reserved > HIGH_START ? (uint32_t)((facts->reserved - HIGH_START) / KIB) : 0;
}

static unsigned map_memory(const struct multiboot_facts *facts, struct range map[MAP_MAX])
{
    const struct memory *memory = facts->memory;
    gpa_t reserved = facts->reserved;
    unsigned count = 0;

    add_range(map, &count, 0, low_memory(facts), MULTIBOOT_MEMORY_AVAILABLE);
    if (reserved > HIGH_START)
        add_range(map, &count, LOW_END, HIGH_START, MULTIBOOT_MEMORY_RESERVED);
    add_range(map, &count, HIGH_START, reserved, MULTIBOOT_MEMORY_AVAILABLE);
    add_range(map, &count, reserved, memory_low_end(memory), MULTIBOOT_MEMORY_RESERVED);
    if (memory->count > 1)
        add_range(map, &count, memory->slots[1].base, memory_end(memory),
                  MULTIBOOT_MEMORY_AVAILABLE);
    return count;
}

static int write_command_line(char line[COMMAND_LINE_MAX], const struct multiboot_facts *facts,
                              struct error *error)
{
    bool more = facts->append != NULL;
    int used = snprintf(line, COMMAND_LINE_MAX, "%s", facts->name);

    for (unsigned i = 0; i < facts->virtio && used < COMMAND_LINE_MAX; i++)
        used += snprintf(
            line + used, (size_t)(COMMAND_LINE_MAX - used), " virtio_mmio.device=4K@0x%llx:%u",
            (unsigned long long)(VIRTIO_DEVICE_BASE + i * VIRTIO_MMIO_SIZE), VIRTIO_DEVICE_GSI + i);
    if (used < COMMAND_LINE_MAX)
        used += snprintf(line + used, (size_t)(COMMAND_LINE_MAX - used), "%s%s", more ? " " : "",
                         more ? facts->append : "");
    if (used >= COMMAND_LINE_MAX)
        return error_set(error, "%s: the kernel's command line is longer than %d bytes",
                         facts->name, COMMAND_LINE_MAX - 1);
    return 0;
}

/* Everything in one page, so that one check covers it. */
struct page {
    struct multiboot_info info;
    struct multiboot_mmap_entry map[MAP_MAX];
    struct multiboot_module modules[INITRDS_MAX];
    char loader_name[32];
    char command_line[COMMAND_LINE_MAX];
    char strings[STRINGS_MAX];
};

_Static_assert(sizeof(struct page) <= PAGE_SIZE, "the reserved range holds one page for it");

static int put_modules(struct page *page, const struct multiboot_facts *facts, struct error *error)
{
    const struct multiboot_modules *modules = facts->modules;
    size_t used = 0;

    if (modules == NULL || modules->count == 0)
        return 0;
    for (unsigned i = 0; i < modules->count; i++) {
        const char *text = modules->at[i].text;
        size_t size = strlen(text) + 1;

        if (size > STRINGS_MAX - used)
            return error_set(error,
                             "%s: the names of its modules have more than %d bytes (--initrd)",
                             facts->name, STRINGS_MAX);
        memcpy(page->strings + used, text, size);
        page->modules[i] = (struct multiboot_module){
            .start = (uint32_t)modules->at[i].from,
            .end = (uint32_t)modules->at[i].to,
            .string = (uint32_t)(facts->at + offsetof(struct page, strings) + used)};
        used += size;
    }
    page->info.flags |= MULTIBOOT_INFO_MODS;
    page->info.mods_count = modules->count;
    page->info.mods_addr = (uint32_t)(facts->at + offsetof(struct page, modules));
    return 0;
}

int multiboot_write_info(const struct multiboot_facts *facts, struct error *error)
{
    struct page page = {0};
    struct range map[MAP_MAX];
    unsigned count = map_memory(facts, map);
    gpa_t at = facts->at;

    if (write_command_line(page.command_line, facts, error) < 0)
        return -1;
    for (unsigned i = 0; i < count; i++)
        page.map[i] =
            (struct multiboot_mmap_entry){.size = sizeof page.map[0] - sizeof page.map[0].size,
                                          .base = map[i].from,
                                          .length = map[i].to - map[i].from,
                                          .type = map[i].type};
    snprintf(page.loader_name, sizeof page.loader_name, "%s", MULTIBOOT_LOADER_NAME);
    page.info = (struct multiboot_info){
        .flags = MULTIBOOT_INFO_MEMORY | MULTIBOOT_INFO_CMDLINE | MULTIBOOT_INFO_MMAP |
                 MULTIBOOT_INFO_LOADER_NAME,
        .mem_lower = (uint32_t)(low_memory(facts) / KIB),
        .mem_upper = upper_kib(facts),
        .cmdline = (uint32_t)(at + offsetof(struct page, command_line)),
        .mmap_length = (uint32_t)(count * sizeof page.map[0]),
        .mmap_addr = (uint32_t)(at + offsetof(struct page, map)),
        .boot_loader_name = (uint32_t)(at + offsetof(struct page, loader_name)),
    };
    if (put_modules(&page, facts, error) < 0)
        return -1;
    if (!memory_write(facts->memory, at, &page, sizeof page))
        return error_set(error, "%s: no memory for its multiboot information", facts->name);
    return 0;
}

/* Tags, one after the other in a page of their own. */
struct tags {
    uint8_t bytes[PAGE_SIZE];
    size_t used;
    bool full;
};

/* A tag of `head` bytes with `tail` behind them. */
static void put_tag(struct tags *tags, uint32_t type, const void *head, size_t head_size,
                    const void *tail, size_t tail_size)
{
    struct multiboot2_tag tag = {type, (uint32_t)(sizeof tag + head_size + tail_size)};

    if (tags->full || sizeof tags->bytes - tags->used < tag.size + TAG_ALIGN) {
        tags->full = true;
        return;
    }
    memcpy(tags->bytes + tags->used, &tag, sizeof tag);
    memcpy(tags->bytes + tags->used + sizeof tag, head, head_size);
    memcpy(tags->bytes + tags->used + sizeof tag + head_size, tail, tail_size);
    tags->used = (tags->used + tag.size + TAG_ALIGN - 1) & ~(size_t)(TAG_ALIGN - 1);
}

static void put_string(struct tags *tags, uint32_t type, const char *text)
{
    put_tag(tags, type, "", 0, text, strlen(text) + 1);
}

static void put_map(struct tags *tags, const struct multiboot_facts *facts)
{
    struct multiboot2_mmap_entry entries[MAP_MAX];
    struct range map[MAP_MAX];
    unsigned count = map_memory(facts, map);
    uint32_t shape[] = {sizeof entries[0], 0}; /* the size of an entry, the version */

    for (unsigned i = 0; i < count; i++)
        entries[i] = (struct multiboot2_mmap_entry){
            .base = map[i].from, .length = map[i].to - map[i].from, .type = map[i].type};
    put_tag(tags, MULTIBOOT2_MMAP, shape, sizeof shape, entries, count * sizeof entries[0]);
}

/* A copy of the RSDP: that of ACPI 1.0 is the first part of the later one. */
static void put_rsdp(struct tags *tags, const struct multiboot_facts *facts)
{
    uint8_t pointer[36];

    if (facts->rsdp == 0 || !memory_read(facts->memory, facts->rsdp, pointer, sizeof pointer))
        return;
    put_tag(tags, MULTIBOOT2_RSDP_1, pointer, 20, "", 0);
    put_tag(tags, MULTIBOOT2_RSDP_2, pointer, sizeof pointer, "", 0);
}

int multiboot_write_info2(const struct multiboot_facts *facts, struct error *error)
{
    static const struct multiboot2_tag end = {MULTIBOOT2_END, sizeof end};
    struct tags tags = {.used = 8}; /* the size of it all, and a reserved word */
    uint32_t sizes[] = {(uint32_t)(low_memory(facts) / KIB), upper_kib(facts)};
    char line[COMMAND_LINE_MAX];
    uint32_t size;

    if (write_command_line(line, facts, error) < 0)
        return -1;
    put_string(&tags, MULTIBOOT2_CMDLINE, line);
    put_string(&tags, MULTIBOOT2_LOADER_NAME, MULTIBOOT_LOADER_NAME);
    for (unsigned i = 0; facts->modules != NULL && i < facts->modules->count; i++) {
        uint32_t place[] = {(uint32_t)facts->modules->at[i].from,
                            (uint32_t)facts->modules->at[i].to};
        const char *text = facts->modules->at[i].text;

        put_tag(&tags, MULTIBOOT2_MODULE, place, sizeof place, text, strlen(text) + 1);
    }
    put_tag(&tags, MULTIBOOT2_MEMORY, sizes, sizeof sizes, "", 0);
    put_map(&tags, facts);
    put_rsdp(&tags, facts);
    if (tags.full)
        return error_set(error, "%s: the names of its modules are too long (--initrd)",
                         facts->name);
    memcpy(tags.bytes + tags.used, &end, sizeof end);
    size = (uint32_t)(tags.used + sizeof end);
    memcpy(tags.bytes, &size, sizeof size);
    if (!memory_write(facts->memory, facts->at, tags.bytes, size))
        return error_set(error, "%s: no memory for its multiboot information", facts->name);
    return 0;
}
