/*
 * A20 and the memory map; see memory.h.
 *
 * A20: IBM AT technical reference (keyboard controller output port), PS/2 system control port A.
 * Map: ACPI 6.4, section 15.1 (E820h). An entry counts only if the BIOS returned at least 20 bytes.
 */
#include "memory.h"

#include <stdbool.h>

#include "bios.h"
#include "common/range.h"
#include "common/x86.h"
#include "console.h"
#include "layout.h"
#include "std/memory_map.h"

#define SMAP 0x534d4150 /* "SMAP" */

enum { ONE_MB = 0x100000, PAGE = 0x1000, E801_MAX_KB = 15 * 1024 };
enum { KBC_DATA = 0x60, KBC_COMMAND = 0x64, KBC_INPUT_FULL = 2, KBC_WRITE_OUTPUT_PORT = 0xd1 };
enum { SYSTEM_CONTROL_A = 0x92 };
enum { LOOKS = 100000 };

/* If A20 is off, an address and that 1 MB above are the same byte. The test uses a word of the
 * transfer buffer. */
static bool a20_is_open(void)
{
    volatile uint32_t *low = (volatile uint32_t *)TRANSFER_AT;
    volatile uint32_t *high = (volatile uint32_t *)(TRANSFER_AT + ONE_MB);

    for (int look = 0; look < 1000; look++) {
        *low = 0x11111111;
        *high = 0x22222222;
        if (*low == 0x11111111)
            return true;
    }
    return false;
}

static void a20_by_bios(void)
{
    struct bios_registers r = {.eax = 0x2401};

    bios_call(BIOS_SYSTEM, &r);
}

static void keyboard_wait(void)
{
    for (int look = 0; look < LOOKS; look++)
        if ((x86_in8(KBC_COMMAND) & KBC_INPUT_FULL) == 0)
            return;
}

static void a20_by_keyboard(void)
{
    keyboard_wait();
    x86_out8(KBC_COMMAND, KBC_WRITE_OUTPUT_PORT);
    keyboard_wait();
    x86_out8(KBC_DATA, 0xdf); /* A20 on, reset line high */
    keyboard_wait();
}

static void a20_by_port(void)
{
    uint8_t value = x86_in8(SYSTEM_CONTROL_A);

    x86_out8(SYSTEM_CONTROL_A, (uint8_t)((value | 2) & ~1)); /* bit 0 would reset the machine */
}

void memory_open_a20(void)
{
    static const struct {
        void (*open)(void);
        const char *name;
    } ways[] = {{a20_by_bios, "the BIOS"},
                {a20_by_keyboard, "the keyboard controller"},
                {a20_by_port, "port 92h"}};

    if (a20_is_open())
        return;
    for (unsigned i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        ways[i].open();
        if (a20_is_open()) {
            console_text("A20: opened by ");
            console_text(ways[i].name);
            console_line_end();
            return;
        }
    }
    console_fail("E10", "the A20 line does not open");
}

static void add(struct boot_info *info, uint64_t base, uint64_t length, uint32_t type)
{
    if (length > 0 && info->memory_count < BOOT_MEMORY_MAX)
        info->memory[info->memory_count++] = (struct boot_memory){base, length, type, 1};
}

static bool read_e820(struct boot_info *info)
{
    uint32_t next = 0;

    do {
        struct boot_memory *entry = &info->memory[info->memory_count];
        struct bios_registers r = {.eax = 0xe820,
                                   .edx = SMAP,
                                   .ecx = sizeof *entry,
                                   .ebx = next,
                                   .es = (uint16_t)((uint32_t)entry >> 4),
                                   .edi = (uint32_t)entry & 15};

        entry->attributes = 1;
        bios_call(BIOS_SYSTEM, &r);
        if ((r.eflags & BIOS_CARRY) || r.eax != SMAP || r.ecx < 20)
            break;
        next = r.ebx;
        if (entry->length > 0 && (entry->attributes & 1)) /* bit 0 clear: ignore the entry */
            info->memory_count++;
    } while (next != 0 && info->memory_count < BOOT_MEMORY_MAX);
    return info->memory_count > 0;
}

/* E801h returns the KB from 1 MB to 16 MB and the 64 KB blocks above 16 MB: in AX and BX the
 * configured memory, in CX and DX the installed memory. Some BIOSes fill in only the second
 * pair. */
static bool read_e801(struct boot_info *info)
{
    struct bios_registers r = {.eax = 0xe801};
    uint32_t kb, blocks;

    bios_call(BIOS_SYSTEM, &r);
    kb = (r.eax & 0xffff) != 0 ? r.eax & 0xffff : r.ecx & 0xffff;
    blocks = (r.ebx & 0xffff) != 0 ? r.ebx & 0xffff : r.edx & 0xffff;
    if ((r.eflags & BIOS_CARRY) || kb == 0 || kb > E801_MAX_KB)
        return false;
    add(info, ONE_MB, kb * 1024, BOOT_MEMORY_USABLE);
    add(info, 16 * ONE_MB, (uint64_t)blocks << 16, BOOT_MEMORY_USABLE);
    return true;
}

/* 88h returns the KB above 1 MB. If all calls fail there is no map: memory below 1 MB would not be
 * enough. */
static void read_older(struct boot_info *info)
{
    struct bios_registers low = {0}, r88 = {.eax = 0x8800};

    if (!read_e801(info)) {
        bios_call(BIOS_SYSTEM, &r88);
        if (r88.eflags & BIOS_CARRY)
            return;
        add(info, ONE_MB, (r88.eax & 0xffff) * 1024, BOOT_MEMORY_USABLE);
    }
    bios_call(BIOS_MEMORY_SIZE, &low);
    add(info, 0, (low.eax & 0xffff) * 1024, BOOT_MEMORY_USABLE);
}

void memory_read_map(struct boot_info *info)
{
    info->memory_count = 0;
    if (!read_e820(info))
        read_older(info);
    info->memory_count = memory_map_normalise(info->memory, info->memory_count);
    if (info->memory_count == 0)
        console_fail("E11", "the BIOS has no memory map");
}

/* Clips an entry to [1 MB, 4 GB); false if nothing usable is left. */
static bool clip(const struct boot_memory *entry, uint64_t *base, uint64_t *end)
{
    if (entry->type != BOOT_MEMORY_USABLE)
        return false;
    *base = entry->base < ONE_MB ? ONE_MB : (entry->base + PAGE - 1) & ~(uint64_t)(PAGE - 1);
    *end = entry->base + entry->length;
    if (*end > UINT64_C(0x100000000))
        *end = UINT64_C(0x100000000);
    return *base < *end;
}

uint32_t memory_find(const struct boot_info *info, uint32_t size, uint32_t avoid,
                     uint32_t avoid_size)
{
    uint64_t base, end;

    for (uint32_t i = 0; i < info->memory_count; i++) {
        if (!clip(&info->memory[i], &base, &end))
            continue;
        base = range_beyond(base, size, avoid, (uint64_t)avoid + avoid_size, PAGE);
        if (base + size <= end)
            return (uint32_t)base;
    }
    return 0;
}

uint32_t memory_usable_kb(const struct boot_info *info)
{
    uint64_t bytes = 0, base, end;

    for (uint32_t i = 0; i < info->memory_count; i++)
        if (clip(&info->memory[i], &base, &end))
            bytes += end - base;
    return (uint32_t)(bytes >> 10);
}
