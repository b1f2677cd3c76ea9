/*
 * What a guest finds in QEMU's configuration device: the user's files, and for firmware (--bios)
 * the ACPI tables, the serial port for its console, and the Linux kernel that it is to start.
 */
#ifndef VM_FIRMWARE_H
#define VM_FIRMWARE_H

#include "acpi/files.h"
#include "boot/loader.h"
#include "dev/fw_cfg.h"

struct vm;

enum { FIRMWARE_NUMBERS = 8, FIRMWARE_LINE_MAX = 4096 };

/* Copies, because the guest reads them for as long as it runs, and a file may be cut short. All by
 * malloc. */
struct firmware {
    uint8_t *files[FW_FILES_MAX];
    uint8_t *setup, *code, *initrd; /* of the kernel */
    struct acpi_files *acpi;
    uint32_t numbers[FIRMWARE_NUMBERS]; /* items of the device */
    char line[FIRMWARE_LINE_MAX];
};

/* Before the guest starts, once it has its memory and devices. */
int firmware_fill(struct vm *vm, const struct boot_files *files, struct error *error) MUST_CHECK;
/* What fw_cfg holds beside what it makes itself, as chunks; and their size. firmware_restore takes
 * them in the place of firmware_fill: they live as long as the guest. */
size_t firmware_size(const struct vm *vm);
void firmware_save(const struct vm *vm, struct chunk_writer *writer);
int firmware_restore(struct vm *vm, const uint8_t *bytes, size_t size,
                     struct error *error) MUST_CHECK;

void firmware_release(struct firmware *firmware);

#endif
