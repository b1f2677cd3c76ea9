/*
 * vmlinux: the kernel itself, an ELF file linked at high virtual addresses and loaded at the
 * physical ones it names. It is entered at its linked place, so its relocations are never needed
 * (and there is no KASLR).
 */
#ifndef BOOT_LINUX_VMLINUX_H
#define BOOT_LINUX_VMLINUX_H

#include "boot/loader.h"

struct vmlinux {
    bool bits64;
    bool pvh;        /* it has the PVH entry */
    gpa_t entry;     /* startup_64 or startup_32 */
    gpa_t pvh_entry; /* 32-bit, paging off */
    gpa_t end;       /* the first address behind it, its zeroed data included */
};

/* Whether an ELF file is a Linux kernel, or one that starts like it: it has a PVH note, or its
 * entry is the physical address of code that is linked in the uppermost 2 GB. */
bool vmlinux_recognise(const struct image *image);

/* Fills `vmlinux` from the file, without loading it. Fails if it is not a kernel that can be
 * entered. */
int vmlinux_open(struct vmlinux *vmlinux, const struct image *image,
                 struct error *error) MUST_CHECK;

/* Copies its segments into memory. */
int vmlinux_place(const struct vmlinux *vmlinux, const struct image *image,
                  const struct boot_request *request, struct error *error) MUST_CHECK;

#endif
