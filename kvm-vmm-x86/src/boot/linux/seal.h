/*
 * The checksum of a bzImage: Documentation/arch/x86/boot.rst, "The Image Checksum". Not every way
 * of packing a kernel has a checksum of its own (LZ4 as Linux uses it has none), so this is what
 * tells a damaged file from a good one.
 */
#ifndef BOOT_LINUX_SEAL_H
#define BOOT_LINUX_SEAL_H

#include "boot/linux/bzimage.h"

/* Whether the file has a checksum and is not what was summed. Kernels of 6.16 and later have a zero
 * in its place. */
bool seal_is_broken(const struct bzimage *bzimage, const struct image *image);

#endif
