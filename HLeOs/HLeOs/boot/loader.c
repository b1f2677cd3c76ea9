/*
 * The second stage, in order. It runs in 32-bit protected mode, can call the BIOS (stage2.S), and
 * ends with a jump to the kernel's 64-bit entry, with a boot_info (abi/boot_info.h).
 */
#include "abi/boot_info.h"
#include "bios.h"
#include "common/string.h"
#include "common/x86.h"
#include "console.h"
#include "disk.h"
#include "kernel.h"
#include "layout.h"
#include "memory.h"

extern const struct image_table image_table;

void loader_main(uint32_t drive);
void enter_kernel(uint32_t entry, uint32_t boot_info) __attribute__((noreturn));

/* CPUID leaf 0x80000001, EDX bit 29. Checks first that CPUID exists: a 486 may lack it. */
static bool cpu_has_long_mode(void)
{
    uint32_t flags, changed;

    __asm__ volatile(
        "pushfl; popl %0; movl %0, %1; xorl $0x200000, %1; pushl %1; popfl; pushfl; popl %1"
        : "=&r"(flags), "=&r"(changed));
    if (((flags ^ changed) & 0x200000) == 0)
        return false;
    return x86_cpuid(0x80000000, 0).a >= 0x80000001 && (x86_cpuid(0x80000001, 0).d >> 29 & 1);
}

static void check_low_memory(void)
{
    struct bios_registers r = {0};

    bios_call(BIOS_MEMORY_SIZE, &r);
    if ((r.eax & 0xffff) < LOW_MEMORY_END / 1024)
        console_fail("E13", "too little memory below 640 KB");
}

/* Identity map of the first 4 GB in pages of 2 MB: Intel SDM volume 3, 4.5. */
static void build_page_tables(void)
{
    enum { PRESENT_WRITABLE = 3, LARGE = 0x80, TABLE = 0x1000 };
    uint64_t *pml4 = (uint64_t *)PAGE_TABLES_AT;
    uint64_t *pdpt = (uint64_t *)(PAGE_TABLES_AT + TABLE);
    uint64_t *directory = (uint64_t *)(PAGE_TABLES_AT + 2 * TABLE);

    memset(pml4, 0, 2 * TABLE);
    pml4[0] = (uint32_t)pdpt | PRESENT_WRITABLE;
    for (uint32_t i = 0; i < 4; i++)
        pdpt[i] = ((uint32_t)directory + i * TABLE) | PRESENT_WRITABLE;
    for (uint32_t i = 0; i < 4 * 512; i++)
        directory[i] = (uint64_t)i << 21 | LARGE | PRESENT_WRITABLE;
}

/* Sets the text mode that the kernel expects: 80 columns, 25 lines. */
static void set_text_mode(void)
{
    struct bios_registers r = {.eax = 0x0003};

    bios_call(BIOS_VIDEO, &r);
}

void loader_main(uint32_t drive)
{
    struct boot_info *info = (struct boot_info *)BOOT_INFO_AT;
    struct disk disk;
    uint32_t entry;

    set_text_mode();
    console_text("loader\r\n"); /* after the boot sector's "HLeOs " on the serial line */
    check_low_memory();
    memset(info, 0, sizeof *info);
    memory_open_a20();
    memory_read_map(info);
    disk_open(&disk, (uint8_t)drive);
    console_text(disk.edd ? "disk: EDD\r\n" : "disk: CHS\r\n");
    entry = kernel_load(&disk, &image_table, info);
    if (!cpu_has_long_mode()) /* last, so that a 32-bit machine runs the rest of the loader */
        console_fail("E14", "no long mode: this processor is not 64-bit");
    build_page_tables();
    info->magic = BOOT_INFO_MAGIC;
    info->version = BOOT_INFO_VERSION;
    info->size = sizeof *info;
    info->boot_drive = drive;
    string_copy(info->loader, "HLeOs BIOS", sizeof info->loader);
    string_copy(info->command_line, image_table.command_line, sizeof info->command_line);
    enter_kernel(entry, BOOT_INFO_AT);
}
