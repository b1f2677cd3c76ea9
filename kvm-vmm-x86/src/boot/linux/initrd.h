/* Initial ramdisks: any number of files, one behind the other, each at a multiple of four bytes as
 * cpio wants it. */
#ifndef BOOT_LINUX_INITRD_H
#define BOOT_LINUX_INITRD_H

#include "boot/loader.h"

/* Copies them as high as they may stand in low RAM, above `kernel_end` and not beyond `last`.
 * `size` becomes 0 if there are none. */
int initrd_place(const struct boot_request *request, gpa_t kernel_end, gpa_t last, gpa_t *at,
                 uint64_t *size, struct error *error) MUST_CHECK;

#endif
