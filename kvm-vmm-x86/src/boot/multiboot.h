/* The information a multiboot loader leaves for the kernel: abi/multiboot.h. */
#ifndef BOOT_MULTIBOOT_H
#define BOOT_MULTIBOOT_H

#include "base/error.h"
#include "base/memory.h"

/* Writes it, with memory map, command line and loader name, to the page at `at`; RAM from
 * `reserved` on is not the guest's. The command line is the image's name, as is the custom, and
 * behind it `append`, which may be NULL; fails if they are too long. */
int multiboot_write_info(const struct memory *memory, gpa_t at, gpa_t reserved, const char *name,
                         const char *append, struct error *error) MUST_CHECK;

/* The name we give ourselves there. */
#define MULTIBOOT_LOADER_NAME "mini-kvm kvm-vmm"

#endif
