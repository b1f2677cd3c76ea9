/* The kernel's copy of the loader's boot_info, and the words of its command line. */
#ifndef HLEOS_BOOT_H
#define HLEOS_BOOT_H

#include <stdbool.h>
#include <stddef.h>

#include "abi/boot_info.h"

/* Copies and checks the block at a physical address that the loader maps one to one; a bad one is a
 * panic. `image` is where the kernel really lies. */
void boot_take(uint64_t info, uint64_t image);
const struct boot_info *boot_information(void);

/* The value of NAME=VALUE on the command line, "" for a lone NAME; NULL: it is not there. Valid
 * until the next call. */
const char *boot_option(const char *name);

#endif
