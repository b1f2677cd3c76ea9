/*
 * The start as an EFI application, as `bootefi`, GRUB and EDK2 start Linux: boot.S calls
 * efi_leave() to get the hart ID and the device tree, which are in registers otherwise. What EFI
 * passes besides the tree stays in `efi` for machine_read().
 */
#ifndef HOST_EFI_H
#define HOST_EFI_H

#include "lib/types.h"

enum { EFI_RESERVED_MAX = 8, EFI_ARGUMENTS_SIZE = 4096 };

/* All zero if the hypervisor was not started by EFI. */
struct efi {
    char arguments[EFI_ARGUMENTS_SIZE]; /* "" for none: then the tree's */
    struct range initrd;                /* size 0: none */
    struct range reserved[EFI_RESERVED_MAX];
    unsigned reserved_count;
};

extern struct efi efi;

/* The values of a0 and a1 with which the hypervisor starts, returned in two registers. */
struct efi_handover {
    uint64_t hartid;
    const void *fdt; /* NULL after an error message: returns to EFI */
};

struct efi_system_table;
struct efi_handover efi_leave(void *image, const struct efi_system_table *table);

#endif
