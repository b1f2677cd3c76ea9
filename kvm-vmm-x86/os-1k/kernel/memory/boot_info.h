/* What the boot loader told: the Multiboot information, copied out of the loader's memory. */
#ifndef KERNEL_MEMORY_BOOT_INFO_H
#define KERNEL_MEMORY_BOOT_INFO_H

#include <stdbool.h>
#include <stdint.h>

struct boot_info {
    char loader[32];
    char command_line[128];
    uint32_t memory_end; /* physical: from 1 MB up to here all is memory */
};

extern struct boot_info boot_info;

/* Reads what lies at physical address `information`. Panics if it says nothing about memory. */
void boot_info_read(uint32_t magic, uint32_t information);

/* True if `word` stands on the kernel's command line. */
bool boot_info_option(const char *word);

#endif
