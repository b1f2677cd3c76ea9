/*
 * Files that are no image for this machine, known by their content: archives, disks, programs for
 * other systems, text. Each is refused with what to do; as a flat image it would run as 16-bit code
 * that means nothing. What marks a file is more than a flat image has by chance.
 */
#include <string.h>

#include "boot/loader.h"

/* What a kind of file has at a place. */
struct mark {
    uint32_t at;
    uint8_t size;
    const char *bytes;
    const char *what, *advice;
};

#define UNPACK    "unpack it first"
#define DISK      "there is no BIOS here to start it; give the kernel that is on it"
#define OTHER_CPU "for another kind of CPU"
#define NO_KERNEL "not a kernel, nor code for a bare machine"

static const struct mark marks[] = {
    {0, 3, "\x1f\x8b\x08", "packed by gzip", UNPACK " (gunzip)"},
    {0, 6, "\xfd\x37zXZ\0", "packed by xz", UNPACK " (unxz)"},
    {0, 4, "\x28\xb5\x2f\xfd", "packed by zstd", UNPACK " (unzstd)"},
    {0, 4, "\x04\x22\x4d\x18", "packed by lz4", UNPACK " (unlz4)"},
    {4, 6, "1AY&SY", "packed by bzip2", UNPACK " (bunzip2)"},
    {0, 4, "PK\3\4", "a zip archive", UNPACK " (unzip)"},
    {0, 6, "7z\xbc\xaf\x27\x1c", "a 7z archive", UNPACK " (7z x)"},
    {0, 6, "Rar!\x1a\x07", "a rar archive", UNPACK " (unrar)"},
    {257, 5, "ustar", "a tar archive", UNPACK " (tar xf)"},
    {0, 6, "070701", "a cpio archive", "a ramdisk goes with --initrd beside a kernel"},
    {0, 8, "!<arch>\n", "a library or a Debian package", NO_KERNEL},
    {0, 4, "\xed\xab\xee\xdb", "an RPM package", NO_KERNEL},
    {0, 4, "QFI\xfb", "a qcow2 image", DISK},
    {0, 4, "KDMV", "a VMDK image", DISK},
    {0, 8, "vhdxfile", "a VHDX image", DISK},
    {0, 8, "conectix", "a VHD image", DISK},
    {64, 4, "\x7f\x10\xda\xbe", "a VDI image", DISK},
    {0x8001, 5, "CD001", "an ISO image", DISK},
    {512, 8, "EFI PART", "an image with GPT partitions", DISK},
    {0, 4, "hsqs", "a squashfs image", DISK},
    {0, 3, "#!/", "a script", NO_KERNEL},
    {0, 4, "\xd0\x0d\xfe\xed", "a device tree", "a PC has no device tree"},
    {0x38, 4, "ARM\x64", "an arm64 Image", OTHER_CPU},
    {0x38, 4, "RSC\x05", "a RISC-V Image", OTHER_CPU},
    {0, 4, "\x27\x05\x19\x56", "a U-Boot image", OTHER_CPU},
    {0, 4, "\xcf\xfa\xed\xfe", "a macOS program", NO_KERNEL},
    {0, 4, "\xca\xfe\xba\xbe", "a Java class or a macOS program", NO_KERNEL},
    {0, 4, "\0asm", "a WebAssembly module", NO_KERNEL},
    {0, 5, "%PDF-", "a PDF document", NO_KERNEL},
    {0, 8, "\x89PNG\r\n\x1a\n", "a PNG picture", NO_KERNEL},
};

static bool has(const struct image *image, uint32_t at, const char *bytes, size_t size)
{
    return at < image->size && size <= image->size - at &&
           memcmp(image->bytes + at, bytes, size) == 0;
}

/* The header of a DOS program: its length in pages of 512 bytes and in what of the last is used,
 * its own length in paragraphs of 16. A PE file (Microsoft's "PE Format") begins with one too. */
static bool is_exe(const struct image *image)
{
    struct {
        uint16_t magic, last, pages, relocations, paragraphs;
    } exe;

    if (!has(image, 0, "MZ", 2) || image->size < 0x40)
        return false;
    memcpy(&exe, image->bytes, sizeof exe);
    return exe.pages > 0 && exe.last < 512 && (exe.pages - 1) * 512u + exe.last <= image->size &&
           exe.paragraphs >= 2 && exe.paragraphs * 16u <= image->size;
}

static bool is_pe(const struct image *image)
{
    uint32_t pe;

    if (!has(image, 0, "MZ", 2) || image->size < 0x40)
        return false;
    memcpy(&pe, image->bytes + 0x3c, sizeof pe);
    return has(image, pe, "PE\0", 4);
}

/* A boot sector with a partition table, and the partitions behind it. */
static bool is_partitioned(const struct image *image)
{
    enum { SECTOR = 512, TABLE = 446, ENTRIES = 4, ENTRY = 16, TYPE = 4, START = 8, ACTIVE = 0x80 };
    unsigned used = 0;

    if (!has(image, SECTOR - 2, "\x55\xaa", 2) || image->size <= SECTOR)
        return false;
    for (unsigned i = 0; i < ENTRIES; i++) {
        const uint8_t *entry = image->bytes + TABLE + i * (size_t)ENTRY;
        uint32_t start;

        memcpy(&start, entry + START, sizeof start);
        if (entry[0] & ~ACTIVE || (entry[TYPE] != 0 && start == 0))
            return false;
        used += entry[TYPE] != 0;
    }
    return used > 0;
}

/* Nothing but text, and enough of it to be no chance. */
static bool is_text(const struct image *image)
{
    enum { ENOUGH = 16, LOOKED_AT = 4096 };
    size_t end = image->size < LOOKED_AT ? image->size : LOOKED_AT;

    for (size_t i = 0; i < end; i++) {
        uint8_t c = image->bytes[i];

        if ((c < ' ' || c == 0x7f) && c != '\n' && c != '\r' && c != '\t')
            return false;
    }
    return end >= ENOUGH;
}

static const struct {
    bool (*is)(const struct image *image);
    struct mark mark;
} foreign_kinds[] = {
    {is_pe, {.what = "a program for UEFI or Windows", .advice = NO_KERNEL}},
    {is_exe, {.what = "a program for DOS", .advice = NO_KERNEL}},
    {is_partitioned, {.what = "an image with partitions", .advice = DISK}},
    {is_text, {.what = "text", .advice = NO_KERNEL}},
};

static const struct mark *find(const struct image *image)
{
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++)
        if (has(image, marks[i].at, marks[i].bytes, marks[i].size))
            return &marks[i];
    for (size_t i = 0; i < sizeof foreign_kinds / sizeof foreign_kinds[0]; i++)
        if (foreign_kinds[i].is(image))
            return &foreign_kinds[i].mark;
    return NULL;
}

static bool recognise(const struct image *image)
{
    return find(image) != NULL;
}

static int mode(const struct image *image, enum guest_mode asked, enum guest_mode *result,
                struct error *error)
{
    const struct mark *mark = find(image);

    (void)asked;
    (void)result;
    return error_set(error, "%s: %s: %s", image->path, mark->what, mark->advice);
}

static int load(const struct boot_request *request, enum guest_mode m, struct cpu_start *start,
                struct error *error)
{
    enum guest_mode ignored;

    (void)start;
    return mode(request->image, m, &ignored, error);
}

const struct loader loader_foreign = {
    .name = "foreign", .recognise = recognise, .mode = mode, .load = load};
