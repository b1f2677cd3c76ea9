/*
 * Unpacks the kernel inside a bzImage, in each format that Linux's build offers
 * (Documentation/arch/x86/boot.rst, payload_offset; scripts/Makefile.lib) but LZO. The last four
 * bytes of a payload are its size when unpacked.
 */
#ifndef BOOT_LINUX_UNPACK_H
#define BOOT_LINUX_UNPACK_H

#include <stdint.h>

#include "base/error.h"

/* What a payload is packed with: a name for messages, or NULL if we cannot unpack it. */
const char *unpack_format(const uint8_t *packed, uint64_t size);

/* The unpacked size in bytes, as the payload states it; 0 if unknown. */
uint64_t unpack_size(const uint8_t *packed, uint64_t size);

/* Unpacks to exactly `out_size` bytes, as unpack_size gave it. */
int unpack(const uint8_t *packed, uint64_t size, uint8_t *out, uint64_t out_size,
           struct error *error) MUST_CHECK;

#endif
