/* The information a multiboot loader leaves for the kernel: abi/multiboot.h. */
#ifndef BOOT_MULTIBOOT_H
#define BOOT_MULTIBOOT_H

#include "memory.h"

/* Writes it, with memory map, command line and loader name, to the page at `at`; RAM from
 * `reserved` on is not the guest's. */
void multiboot_write_info(const struct memory *memory, gpa_t at, gpa_t reserved,
                          const char *command_line);

/* The name we give ourselves there. */
#define MULTIBOOT_LOADER_NAME "mini-kvm kvm-vmm"

#endif
