/* The CRC-32 of Ethernet, gzip and PNG: ISO 3309, polynomial 0x04c11db7 reflected, all-ones before
 * and after. */
#ifndef COMMON_CRC32_H
#define COMMON_CRC32_H

#include <stddef.h>
#include <stdint.h>

/* Goes on from `crc` (0 to begin with), so that a long text may come in pieces. */
uint32_t crc32_update(uint32_t crc, const void *bytes, size_t size);

#endif
