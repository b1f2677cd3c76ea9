/* The checksum of a bzImage; see seal.h, and for the PE header Microsoft's "PE Format". */
#include "boot/linux/seal.h"

#include <string.h>
#include <zlib.h>

enum { SEAL_SIZE = 4 };

/* Places in a PE file, from its signature on: the optional header follows 24 bytes later. */
enum {
    PE_PLACE = 0x3c, /* in the file: where the signature is */
    PE_MAGIC = 24,
    PE_MAGIC_64 = 0x20b,
    PE_CHECKSUM = PE_MAGIC + 64,
    PE_CERTIFICATE_32 = PE_MAGIC + 96 + 4 * 8,
    PE_CERTIFICATE_64 = PE_MAGIC + 112 + 4 * 8,
    PE_END = PE_CERTIFICATE_64 + 8,
};

static uint32_t number(const uint8_t *bytes, unsigned size)
{
    uint32_t value = 0;

    memcpy(&value, bytes, size);
    return value;
}

/* Whoever signs a kernel for Secure Boot does so after the sum was made, and writes into the PE
 * header what were zeros: its checksum, and where the signature is. */
static void forget_signature(uint8_t *header, size_t size)
{
    uint32_t pe = number(header + PE_PLACE, 4);
    bool wide;

    if (memcmp(header, "MZ", 2) != 0 || pe > size - PE_END || memcmp(header + pe, "PE\0", 4) != 0)
        return;
    wide = number(header + pe + PE_MAGIC, 2) == PE_MAGIC_64;
    memset(header + pe + PE_CHECKSUM, 0, 4);
    memset(header + pe + (wide ? PE_CERTIFICATE_64 : PE_CERTIFICATE_32), 0, 8);
}

bool seal_is_broken(const struct bzimage *bzimage, const struct image *image)
{
    uint8_t header[1024];
    size_t end = (size_t)(bzimage->code - image->bytes) + bzimage->header.syssize * (size_t)16;
    uint32_t seal;

    if (end > image->size || end < sizeof header + SEAL_SIZE)
        return false; /* 2.6 kernels may end within the last 16 bytes: they have no sum either */
    seal = number(image->bytes + end - SEAL_SIZE, SEAL_SIZE);
    if (seal == 0)
        return false;
    memcpy(header, image->bytes, sizeof header);
    forget_signature(header, sizeof header);
    /* The sum is CRC-32 without its last step, the inversion. */
    return (uint32_t)crc32_z(crc32_z(0, header, sizeof header), image->bytes + sizeof header,
                             end - SEAL_SIZE - sizeof header) != ~seal;
}
