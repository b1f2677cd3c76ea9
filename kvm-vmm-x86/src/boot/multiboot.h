/* Multiboot 1 and 2: kernels that say in a header how they are loaded, and what they are told.
 * Layouts: abi/multiboot.h, abi/multiboot2.h. The loader is multiboot.c, the information
 * multiboot_info.c. */
#ifndef BOOT_MULTIBOOT_H
#define BOOT_MULTIBOOT_H

#include "boot/loader.h"

/* Files that were loaded beside the kernel. */
struct multiboot_modules {
    struct {
        gpa_t from, to;
        const char *text; /* its command line */
    } at[INITRDS_MAX];
    unsigned count;
};

/* What a kernel is told. */
struct multiboot_facts {
    const struct memory *memory;
    gpa_t at;           /* where: a page */
    gpa_t reserved;     /* RAM from here on is not the guest's */
    const char *name;   /* of the image: the command line begins with it, as is the custom */
    unsigned virtio;    /* devices over MMIO, which it names as Linux does: virtio_mmio.device= */
    const char *append; /* and goes on with this; NULL: nothing */
    gpa_t rsdp;         /* where the ACPI tables begin; 0: no tables */
    const struct multiboot_modules *modules; /* NULL: none */
};

/* What a BIOS leaves behind: vectors for real mode whose calls fail, where the serial port is, how
 * much memory below 1 MB there is. A guest with less than 1 MB gets nothing. */
void multiboot_write_bios(const struct memory *memory, gpa_t reserved);

/* Writes it, with memory map, command line, modules and loader name. Fails if the strings are too
 * long for the page. */
int multiboot_write_info(const struct multiboot_facts *facts, struct error *error) MUST_CHECK;
int multiboot_write_info2(const struct multiboot_facts *facts, struct error *error) MUST_CHECK;

/* The name we give ourselves there. */
#define MULTIBOOT_LOADER_NAME "mini-kvm kvm-vmm"

#endif
