/* The block that HLeOs expects from its loader: abi/boot_info.h. */
#ifndef BOOT_BOOT_INFO_H
#define BOOT_BOOT_INFO_H

#include <stdbool.h>
#include <stddef.h>

#include "base/memory.h"

/* Where the block goes: the second page of RAM, which no image of ours is loaded to. */
#define BOOT_INFO_ADDRESS UINT64_C(0x1000)

/* Whether an image asks for the block: its magic number stands, 8-byte aligned, near the beginning.
 */
bool boot_info_wanted(const uint8_t *bytes, size_t size);

/* Writes it: RAM from `reserved` to its low end is not the guest's; ACPI's root pointer is at
 * `rsdp`. */
void boot_info_write(const struct memory *memory, gpa_t reserved, gpa_t rsdp,
                     const char *command_line);

#endif
