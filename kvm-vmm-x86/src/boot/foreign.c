/*
 * Files that are not images for this machine, recognised by their content: archives, disks,
 * programs for other systems, text. Each is refused with advice; as a flat image it would run as
 * meaningless 16-bit code. The marks are too long to be in a flat image by chance; code that looks
 * like such a file nevertheless, of letters alone for instance, runs with --load or --entry
 * (loaders.c).
 */
#include <string.h>

#include "base/memory.h"
#include "boot/loader.h"

/* The bytes that a kind of file has at an offset. */
struct mark {
    uint32_t at;
    uint8_t size;
    const char *bytes;
    const char *what, *advice;
};

#define UNPACK "unpack it first"
#define DISK                                                                                       \
    "this machine has no BIOS to start it; give the kernel that is on it, or --bios and --disk"
#define FORMAT    DISK " (a raw copy, by qemu-img convert -O raw)"
#define OTHER_CPU "it is for another kind of CPU"
#define NO_KERNEL "neither a kernel nor code for a bare machine"
#define MAY_BE    NO_KERNEL " (--load ADDRESS loads it as code)"

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
    {0, 6, "070701", "a cpio archive", "give it with --initrd, after a kernel"},
    {0, 8, "!<arch>\n", "a library or a Debian package", NO_KERNEL},
    {0, 4, "\xed\xab\xee\xdb", "an RPM package", NO_KERNEL},
    {0, 4, "QFI\xfb", "a qcow2 image", FORMAT},
    {0, 4, "KDMV", "a VMDK image", FORMAT},
    {0, 8, "vhdxfile", "a VHDX image", FORMAT},
    {0, 8, "conectix", "a VHD image", FORMAT},
    {64, 4, "\x7f\x10\xda\xbe", "a VDI image", FORMAT},
    {0x8001, 5, "CD001", "an ISO image", DISK},
    {512, 8, "EFI PART", "an image with GPT partitions", DISK},
    {0, 4, "hsqs", "a squashfs image", DISK},
    {0, 4, "XFSB", "an XFS image", DISK},
    {0x10040, 8, "_BHRfS_M", "a btrfs image", DISK},
    {3, 8, "NTFS    ", "an NTFS image", DISK},
    {0, 3, "#!/", "a script", NO_KERNEL},
    {0, 4, "\xd0\x0d\xfe\xed", "a device tree", "a PC has no device tree"},
    {0x38, 4, "ARM\x64", "an arm64 Image", OTHER_CPU},
    {0x38, 4, "RSC\x05", "a RISC-V Image", OTHER_CPU},
    {0, 4, "\x27\x05\x19\x56", "a U-Boot image", OTHER_CPU},
    {0, 4, "\xcf\xfa\xed\xfe", "a macOS program", NO_KERNEL},
    {0, 4, "\xca\xfe\xba\xbe", "a Java class or a macOS program", NO_KERNEL},
    {0, 4, "\0asm", "a WebAssembly module", NO_KERNEL},
    {0, 5, "%PDF-", "a PDF document", NO_KERNEL},
    {40, 4, "_FVH", "firmware for UEFI", "--bios takes a PC's BIOS, of at most 256K"},
    {0, 8, "\x89PNG\r\n\x1a\n", "a PNG picture", NO_KERNEL},
};

static bool has(const struct image *image, uint32_t at, const char *bytes, size_t size)
{
    return at < image->size && size <= image->size - at &&
           memcmp(image->bytes + at, bytes, size) == 0;
}

/* The header of a DOS program: the file's length as pages of 512 bytes and the bytes used in the
 * last one, the header's length as paragraphs of 16. A PE file (Microsoft's "PE Format") begins
 * with one too. */
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

/* ext2 to ext4: the superblock's magic number, the size of blocks, and a state. */
static bool is_ext(const struct image *image)
{
    enum { SUPERBLOCK = 1024, BLOCK_SIZE = 24, MAGIC = 56, STATE = 58 };
    const uint8_t *s;

    if (image->size < 2 * SUPERBLOCK)
        return false;
    s = image->bytes + SUPERBLOCK;
    return s[MAGIC] == 0x53 && s[MAGIC + 1] == 0xef && s[BLOCK_SIZE] <= 6 &&
           s[BLOCK_SIZE + 1] == 0 && s[STATE] <= 7 && s[STATE + 1] == 0;
}

/* A FAT disk has data behind its boot sector. A boot sector alone is code that may run. */
static bool is_fat(const struct image *image)
{
    return image->size >= 64 * KIB &&
           (has(image, 54, "FAT12", 5) || has(image, 54, "FAT16", 5) || has(image, 82, "FAT32", 5));
}

/* A BIOS: a multiple of 64 KB, with a jump back at the reset vector, 16 bytes before the end: near,
 * or to segment 0xf000. */
static bool is_firmware(const struct image *image)
{
    enum { STEP = 64 * KIB, LARGEST = 256 * KIB, RESET = 16, NEAR = 0xe9, FAR = 0xea };
    const uint8_t *at;

    if (image->size == 0 || image->size % STEP != 0 || image->size > LARGEST)
        return false;
    at = image->bytes + image->size - RESET;
    if (at[0] == 0xfa && at[1] == 0xfc) /* cli, cld */
        at += 2;
    return (at[0] == NEAR && at[2] >= 0x80) || (at[0] == FAR && at[3] == 0 && at[4] == 0xf0);
}

static bool is_zero(const struct image *image)
{
    return image->size > 0 && memory_is_zero(image->bytes, image->size);
}

enum { LOOKED_AT = 4096 }; /* bytes of a text that are read */

static bool is_control(unsigned c)
{
    return (c < ' ' && c != '\t' && c != '\n' && c != '\f' && c != '\r' && c != '\x1b') ||
           c == 0x7f;
}

/* ASCII, or UTF-8 that is too long to be chance: `ret; nop` is a letter in UTF-8, too. */
static bool is_text(const struct image *image)
{
    enum { ENOUGH = 16 };
    size_t end = image->size < LOOKED_AT ? image->size : LOOKED_AT, following = 0;

    for (size_t i = 0; i < end; i++) {
        uint8_t c = image->bytes[i];

        if (following > 0 ? (c & 0xc0) != 0x80 : is_control(c) || (c & 0xc0) == 0x80 || c >= 0xf8)
            return false;
        if (c >= 0x80 && end < ENOUGH)
            return false;
        following = following > 0 ? following - 1 : c < 0x80 ? 0 : c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
    }
    return end > 0;
}

/* UTF-16 in either byte order: with a byte order mark, or mostly ASCII. */
static bool is_wide_text(const struct image *image)
{
    enum { ENOUGH = 16 };
    size_t end = image->size < LOOKED_AT ? image->size : LOOKED_AT;

    if (has(image, 0, "\xff\xfe", 2) || has(image, 0, "\xfe\xff", 2))
        return true; /* the mark is not an instruction */
    for (unsigned high = 0; high <= 1; high++) {
        size_t ascii = 0, i = 0;

        for (; i + 1 < end; i += 2) {
            unsigned c = image->bytes[i + high] * 256u + image->bytes[i + 1 - high];

            if (is_control(c))
                break;
            ascii += c < 0x80;
        }
        if (i + 1 >= end && end >= ENOUGH && ascii > end / 4)
            return true;
    }
    return false;
}

static bool is_text_named(const struct image *image, const char *const endings[])
{
    const char *dot = image->path != NULL ? strrchr(image->path, '.') : NULL;

    for (size_t i = 0; dot != NULL && endings[i] != NULL; i++)
        if (strcmp(dot, endings[i]) == 0)
            return is_text(image);
    return false;
}

static bool is_assembly(const struct image *image)
{
    return is_text_named(image, (const char *const[]){".S", ".s", ".asm", ".inc", NULL});
}

static bool is_c(const struct image *image)
{
    return is_text_named(image, (const char *const[]){".c", ".h", ".cc", ".cpp", NULL});
}

static const struct {
    bool (*is)(const struct image *image);
    struct mark mark;
} foreign_kinds[] = {
    {is_pe, {.what = "a program for UEFI or Windows", .advice = NO_KERNEL}},
    {is_exe, {.what = "a program for DOS", .advice = NO_KERNEL}},
    {is_partitioned, {.what = "an image with partitions", .advice = DISK}},
    {is_ext, {.what = "an ext2, ext3 or ext4 image", .advice = DISK}},
    {is_fat, {.what = "a FAT image", .advice = DISK}},
    {is_firmware,
     {.what = "firmware", .advice = "give it with --bios FILE (--load ADDRESS loads it as code)"}},
    {is_zero, {.what = "nothing but zeroes", .advice = MAY_BE}},
    {is_assembly,
     {.what = "a source in assembly language",
      .advice = "build it first (kvm-vmm-x86/guest/NAME.S: `make -C kvm-vmm-x86 NAME` builds and "
                "runs it)"}},
    {is_c,
     {.what = "a source",
      .advice = "compile and link it first, for a bare machine (-ffreestanding -nostdlib -static "
                "-no-pie)"}},
    {is_text, {.what = "text", .advice = MAY_BE}},
    {is_wide_text, {.what = "text in UTF-16", .advice = MAY_BE}},
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
