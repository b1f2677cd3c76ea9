/*
 * Begun as an EFI application, as `bootefi`, GRUB and EDK2 begin Linux: boot.S calls efi_leave()
 * instead of finding a hart's number and a device tree in its registers. What EFI tells beyond the
 * tree stays in `efi` for machine_read().
 */
#ifndef HOST_EFI_H
#define HOST_EFI_H

#include "lib/types.h"

enum { EFI_RESERVED_MAX = 8, EFI_ARGUMENTS_SIZE = 4096 };

/* All zero where EFI did not begin us. */
struct efi {
    char arguments[EFI_ARGUMENTS_SIZE]; /* "" for none: then the tree's */
    struct range initrd;                /* size 0: none */
    struct range reserved[EFI_RESERVED_MAX];
    unsigned reserved_count;
};

extern struct efi efi;

/* As a function returns two registers: what the hypervisor begins with, a0 and a1. */
struct efi_handover {
    uint64_t hartid;
    const void *fdt; /* NULL after a line that says what is wrong: EFI goes on */
};

struct efi_system_table;
struct efi_handover efi_leave(void *image, const struct efi_system_table *table);

#endif
