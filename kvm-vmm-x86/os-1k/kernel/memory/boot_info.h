/* What the boot loader told: the Multiboot information, copied out of the loader's memory. */
#ifndef KERNEL_MEMORY_BOOT_INFO_H
#define KERNEL_MEMORY_BOOT_INFO_H

#include <stdbool.h>
#include <stdint.h>

enum { BOOT_REGIONS = 8 };

struct boot_region {
    uint32_t begin, end; /* physical, whole pages, nothing of the kernel's image within */
};

struct boot_info {
    char loader[32];
    char command_line[128];
    struct boot_region memory[BOOT_REGIONS];
    unsigned regions;
};

extern struct boot_info boot_info;

/* Reads what lies at physical address `information`. Panics if there is no memory to work with. */
void boot_info_read(uint32_t magic, uint32_t information);

/* True if `word` stands on the kernel's command line. */
bool boot_info_option(const char *word);

#endif
