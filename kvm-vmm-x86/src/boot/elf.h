/* ELF files as images: what the loaders that meet them share. */
#ifndef BOOT_ELF_H
#define BOOT_ELF_H

#include "boot/loader.h"
#include "common/elf.h"

/* Opens an image as an ELF file that a bare machine of ours could run: right CPU, linked, not a
 * program for Linux. */
int elf_image_open(const struct image *image, struct elf_file *elf, struct error *error) MUST_CHECK;

/* Copies its segments to their physical addresses; those at or above `high` (0: none) that have no
 * load address of their own go to the address less `high`. `end` is set behind the last. */
int elf_image_place(const struct boot_request *request, const struct elf_file *elf, gpa_t high,
                    gpa_t *end, struct error *error) MUST_CHECK;

/* The physical address of the entry point, by the segment that holds it. */
gpa_t elf_image_entry(const struct elf_file *elf);

#endif
