/* The boot, in order. After it, all code of the kernel runs because of a trap. */
#include "abi/multiboot.h"
#include "common/string.h"
#include "kernel/appendix.h"
#include "kernel/cpu/cpu.h"
#include "kernel/device/device.h"
#include "kernel/device/disk.h"
#include "kernel/file/file.h"
#include "kernel/memory/memory.h"
#include "kernel/process/process.h"

#define VMM_NAME "mini-kvm" /* the loader's name begins so if it has hypercall WRITE */

enum { HIGH_MEMORY = 0x100000 };

struct system_info kernel_info = {.loader = "unknown"};

/* The last word of the kernel's command line, which begins with its path. */
static char option[32];

struct trap_frame *kernel_main(uint32_t magic, uint32_t information);

/* Copies the boot information (Multiboot 0.6.96, section 3.3) out of the loader's memory; returns
 * where memory ends. */
static uint32_t read_boot_information(uint32_t magic, const struct multiboot_info *info)
{
    const char *blank;

    if (magic != MULTIBOOT_BOOT_MAGIC || !(info->flags & MULTIBOOT_INFO_MEMORY))
        fault_panic("the boot loader did not say how much memory there is");
    if (info->flags & MULTIBOOT_INFO_LOADER_NAME)
        string_copy(kernel_info.loader, kernel_virtual(info->boot_loader_name),
                    sizeof kernel_info.loader);
    if (strncmp(kernel_info.loader, VMM_NAME, strlen(VMM_NAME)) == 0)
        kernel_info.features |= SYSTEM_HYPERCALL;
    if (info->flags & MULTIBOOT_INFO_CMDLINE) {
        disk_note(kernel_virtual(info->cmdline));
        blank = strrchr(kernel_virtual(info->cmdline), ' ');
        string_copy(option, blank != NULL ? blank + 1 : "", sizeof option);
    }
    return HIGH_MEMORY + info->mem_upper * 1024;
}

struct trap_frame *kernel_main(uint32_t magic, uint32_t information)
{
    uint32_t memory_end, space;

    trap_allow_interrupts(); /* devices can interrupt, when the kernel waits */
    console_init();          /* a panic can be read from here on */
    descriptors_init();      /* exceptions are caught */
    memory_end = read_boot_information(magic, kernel_virtual(information));
    memory_end = page_init(memory_end); /* page_alloc works */
    space = space_init(memory_end); /* our own page tables: the loader's are not used any more */
    appendix_create_tasks(space);   /* an overflow of the stack is reported */
    disk_init();                    /* files are kept, if there is a disk */
    file_init();                    /* the programs can be found */
    clock_init();                   /* the clock ticks */
    console_print("1K OS: %u KB free\n", kernel_info.pages_free * 4);
    fault_on_purpose(option);
    if (process_spawn(FIRST_PROGRAM, false) != FIRST_PROCESS)
        fault_panic("cannot start " FIRST_PROGRAM);
    return process_next();
}
