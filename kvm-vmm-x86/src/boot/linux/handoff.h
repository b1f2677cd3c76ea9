/* What a Linux kernel finds in memory when it is entered: the zero page, or PVH's start
 * information. */
#ifndef BOOT_LINUX_HANDOFF_H
#define BOOT_LINUX_HANDOFF_H

#include <asm/bootparam.h>

#include "base/memory.h"

struct handoff {
    struct setup_header header; /* the kernel's own, or what stands for it */
    gpa_t initrd;
    uint64_t initrd_size;
    gpa_t command_line;
    gpa_t rsdp; /* 0: no ACPI */
};

/* Each writes one form; false if memory has no room for it. */
bool handoff_write_zero_page(const struct memory *memory, const struct handoff *handoff) MUST_CHECK;
bool handoff_write_start_info(const struct memory *memory,
                              const struct handoff *handoff) MUST_CHECK;

#endif
