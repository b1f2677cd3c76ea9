/* Reads bzImage files; see bzimage.h, and for the PE header Microsoft's "PE Format". */
#include "boot/linux/bzimage.h"

#include <stddef.h>
#include <string.h>
#include <zlib.h>

enum { HEADER = 0x1f1, HEADER_LENGTH = 0x201, BOOT_FLAG = 0xaa55, HDRS = 0x53726448 };
enum { SECTOR = 512, SETUP_SECTS_DEFAULT = 4, PARAGRAPH = 16 };

enum { VERSION_SYSSIZE = 0x204, VERSION_PAYLOAD = 0x208, VERSION_INIT_SIZE = 0x20a };
enum { VERSION_XLOADFLAGS = 0x20c };

/* For kernels too old to give the memory they need: unpacked, they have about four times their
 * size. */
enum { UNPACKED_RATIO = 4 };

_Static_assert(offsetof(struct boot_params, hdr) == HEADER, "boot.rst: the header's place");

bool bzimage_recognise(const struct image *image)
{
    uint16_t flag;
    uint32_t magic;

    if (image->size < HEADER + 0x20)
        return false;
    memcpy(&flag, image->bytes + offsetof(struct boot_params, hdr.boot_flag), sizeof flag);
    memcpy(&magic, image->bytes + offsetof(struct boot_params, hdr.header), sizeof magic);
    return flag == BOOT_FLAG && magic == HDRS;
}

/* The header ends where its jump instruction leads, and is cut to the fields that we know. */
static int read_header(struct bzimage *b, const struct image *image, unsigned oldest,
                       struct error *error)
{
    size_t end = HEADER_LENGTH + 1 + (size_t)image->bytes[HEADER_LENGTH];
    size_t size = end - HEADER;

    if (end > image->size)
        return error_set(error, "%s: a kernel cut short, in its header", image->path);
    if (size > sizeof b->header)
        size = sizeof b->header;
    memcpy(&b->header, image->bytes + HEADER, size);
    if (b->header.version < oldest)
        return error_set(error,
                         "%s: boot protocol %u.%02u; this VMM boots 2.06 (Linux 2.6.22) and newer, "
                         "firmware (--bios) 2.03",
                         image->path, b->header.version >> 8, b->header.version & 0xff);
    if (!(b->header.loadflags & LOADED_HIGH))
        return error_set(error, "%s: a zImage, which is loaded low; a bzImage is needed",
                         image->path);
    return 0;
}

static int find_code(struct bzimage *b, const struct image *image, struct error *error)
{
    unsigned sectors = b->header.setup_sects != 0 ? b->header.setup_sects : SETUP_SECTS_DEFAULT;
    size_t setup = (sectors + 1) * (size_t)SECTOR;
    uint64_t said = b->header.syssize * (uint64_t)PARAGRAPH;

    if (setup >= image->size)
        return error_set(error, "%s: a kernel cut short, in its setup code", image->path);
    b->code = image->bytes + setup;
    b->code_size = image->size - setup;
    if (b->header.version < VERSION_SYSSIZE)
        return 0; /* the field has only 16 bits of the size */
    if (said > b->code_size + PARAGRAPH - 1)
        return error_set(error, "%s: a kernel cut short: %lu of %lu bytes", image->path,
                         b->code_size, said);
    if (said == 0 || b->code_size < PARAGRAPH)
        return error_set(error, "%s: a kernel header without a kernel", image->path);
    return 0;
}

static int find_payload(struct bzimage *b, const struct image *image, struct error *error)
{
    uint64_t offset = b->header.payload_offset, length = b->header.payload_length;

    if (b->header.version < VERSION_PAYLOAD || length == 0)
        return 0;
    if (offset > b->code_size || length > b->code_size - offset)
        return error_set(error, "%s: its header places the packed kernel outside the file",
                         image->path);
    b->payload = b->code + offset;
    b->payload_size = length;
    return 0;
}

static int find_place(struct bzimage *b, const struct image *image, struct error *error)
{
    const struct setup_header *h = &b->header;

    b->preferred = MIB;
    b->init_size = b->code_size * UNPACKED_RATIO;
    if (h->version >= VERSION_INIT_SIZE) {
        b->preferred = h->pref_address;
        b->init_size = h->init_size;
    }
    if (b->preferred < MIB || b->preferred >= 4 * GIB || b->init_size < b->code_size)
        return error_set(error, "%s: its header asks for %lu bytes at %#lx, which is impossible",
                         image->path, b->init_size, b->preferred);
    b->entry64 = h->version >= VERSION_XLOADFLAGS && (h->xloadflags & XLF_KERNEL_64) &&
                 b->code_size > BZIMAGE_ENTRY_64;
    return 0;
}

int bzimage_open(struct bzimage *bzimage, const struct image *image, unsigned oldest,
                 struct error *error)
{
    *bzimage = (struct bzimage){0};
    if (read_header(bzimage, image, oldest, error) < 0 || find_code(bzimage, image, error) < 0 ||
        find_payload(bzimage, image, error) < 0 || find_place(bzimage, image, error) < 0)
        return -1;
    return 0;
}

int bzimage_check_room(const struct bzimage *bzimage, const struct boot_request *request,
                       struct error *error)
{
    gpa_t end = bzimage->preferred + bzimage->init_size;

    if (end <= request->limit)
        return 0;
    return error_set(error, "%s: this kernel needs %luM of memory to start (-m)",
                     request->image->path, (end + MIB - 1) / MIB);
}

int bzimage_place(const struct bzimage *bzimage, const struct boot_request *request,
                  struct error *error)
{
    return loader_place(request, bzimage->preferred, bzimage->code, bzimage->code_size,
                        bzimage->init_size, error);
}

enum { CHECKSUM_SIZE = 4 };

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

/* Signing a kernel for Secure Boot, after its sum was made, fills fields of the PE header that were
 * zero: the PE checksum, and the place of the signature. Zeroes them again. */
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

bool bzimage_is_damaged(const struct bzimage *bzimage, const struct image *image)
{
    uint8_t header[1024];
    size_t end = (size_t)(bzimage->code - image->bytes) + bzimage->header.syssize * (size_t)16;
    uint32_t sum;

    if (end > image->size || end < sizeof header + CHECKSUM_SIZE)
        return false; /* 2.6 kernels may end within the last 16 bytes: they have no sum either */
    sum = number(image->bytes + end - CHECKSUM_SIZE, CHECKSUM_SIZE);
    if (sum == 0)
        return false;
    memcpy(header, image->bytes, sizeof header);
    forget_signature(header, sizeof header);
    /* The sum is CRC-32 without its last step, the inversion. */
    return (uint32_t)crc32_z(crc32_z(0, header, sizeof header), image->bytes + sizeof header,
                             end - CHECKSUM_SIZE - sizeof header) != ~sum;
}
