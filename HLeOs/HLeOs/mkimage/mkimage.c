/*
 * mkimage: makes HLeOs's bootable disk image out of boot sector, second stage and kernel. A plain
 * program on plain files: no root, no loop devices.
 *
 *   sector 0              boot sector, with a partition table of one active entry
 *   sectors 1 to N        second stage; its image table (boot/layout.h) filled in
 *   sectors N+1 onwards   the kernel's ELF file
 *
 * The image is padded to whole cylinders of 16 heads and 63 sectors, which every emulator takes for
 * a disk, or to --size (1474560 makes a floppy). The partition entry's type 0xda is "no file
 * system".
 */
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "HLeOs/HLeOs/boot/layout.h"
#include "common/crc32.h"

enum { HEADS = 16, TRACK = 63, CYLINDER = HEADS * TRACK * SECTOR_SIZE };
enum { FILE_MAX = 256 << 20 };

static char summary[160]; /* of the image built */

struct file {
    unsigned char *bytes;
    size_t size;
};

static void die(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));
static void die(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    fputs("mkimage: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    exit(1);
}

static struct file read_file(const char *path)
{
    struct file file = {0};
    struct stat st;
    FILE *f = fopen(path, "rb");

    if (f == NULL || fstat(fileno(f), &st) != 0)
        die("%s: %s", path, strerror(errno));
    if (!S_ISREG(st.st_mode) || st.st_size == 0 || st.st_size > FILE_MAX)
        die("%s: not a file of a sensible size", path);
    file.size = (size_t)st.st_size;
    file.bytes = calloc(1, file.size);
    if (file.bytes == NULL || fread(file.bytes, 1, file.size, f) != file.size)
        die("%s: cannot be read", path);
    fclose(f);
    return file;
}

static size_t sectors(size_t bytes)
{
    return (bytes + SECTOR_SIZE - 1) / SECTOR_SIZE;
}

static void put_u16(unsigned char *at, unsigned value)
{
    at[0] = (unsigned char)value;
    at[1] = (unsigned char)(value >> 8);
}

static void put_u32(unsigned char *at, size_t value)
{
    put_u16(at, value & 0xffff);
    put_u16(at + 2, value >> 16 & 0xffff);
}

/* One active partition over the whole disk: many a BIOS boots nothing without one. Its two
 * cylinder-head-sector fields say "look at the LBA". */
static void partition(unsigned char *sector, size_t disk_sectors)
{
    static const unsigned char use_lba[3] = {0xfe, 0xff, 0xff};
    unsigned char *entry = sector + PARTITION_OFFSET;

    put_u32(sector + DISK_SIGNATURE_OFFSET, 0x4f654c48);
    entry[0] = 0x80;
    memcpy(entry + 1, use_lba, sizeof use_lba);
    entry[4] = 0xda;
    memcpy(entry + 5, use_lba, sizeof use_lba);
    put_u32(entry + 8, 1);
    put_u32(entry + 12, disk_sectors - 1);
}

static void fill_table(unsigned char *stage2, size_t stage2_sectors, const struct file *kernel,
                       const char *command_line)
{
    struct image_table table;
    uint32_t sum = 0, word;

    memcpy(&table, stage2 + IMAGE_TABLE_OFFSET, sizeof table);
    if (table.magic != IMAGE_TABLE_MAGIC)
        die("this is not the second stage: its image table is missing");
    table.stage2_balance = 0;
    table.kernel_lba = (uint32_t)(1 + stage2_sectors);
    table.kernel_sectors = (uint32_t)sectors(kernel->size);
    table.kernel_bytes = (uint32_t)kernel->size;
    table.kernel_crc32 = crc32_update(0, kernel->bytes, kernel->size);
    snprintf(table.command_line, sizeof table.command_line, "%s", command_line);
    memcpy(stage2 + IMAGE_TABLE_OFFSET, &table, sizeof table);
    for (size_t i = 0; i < stage2_sectors * SECTOR_SIZE; i += sizeof word) {
        memcpy(&word, stage2 + i, sizeof word);
        sum += word;
    }
    table.stage2_balance = IMAGE_TABLE_MAGIC - sum;
    memcpy(stage2 + IMAGE_TABLE_OFFSET, &table, sizeof table);
}

static struct file build(const char *boot_path, const char *stage2_path, const char *kernel_path,
                         const char *command_line, size_t size)
{
    struct file boot = read_file(boot_path), stage2 = read_file(stage2_path);
    struct file kernel = read_file(kernel_path), image;
    size_t stage2_sectors = sectors(stage2.size);
    size_t content = (1 + stage2_sectors + sectors(kernel.size)) * SECTOR_SIZE;

    if (boot.size != SECTOR_SIZE)
        die("%s: a boot sector has %d bytes, not %zu", boot_path, SECTOR_SIZE, boot.size);
    if (stage2.size > STAGE2_MAX || stage2.size < IMAGE_TABLE_OFFSET + sizeof(struct image_table))
        die("%s: %zu bytes are no second stage", stage2_path, stage2.size);
    if (size == 0)
        size = (content + CYLINDER - 1) / CYLINDER * CYLINDER;
    if (content > size)
        die("%zu bytes do not fit in an image of %zu", content, size);
    image = (struct file){calloc(1, size), size};
    if (image.bytes == NULL)
        die("no memory for an image of %zu bytes", size);
    memcpy(image.bytes, boot.bytes, boot.size);
    put_u16(image.bytes + STAGE2_SECTORS_OFFSET, (unsigned)stage2_sectors);
    partition(image.bytes, size / SECTOR_SIZE);
    memcpy(image.bytes + SECTOR_SIZE, stage2.bytes, stage2.size);
    fill_table(image.bytes + SECTOR_SIZE, stage2_sectors, &kernel, command_line);
    memcpy(image.bytes + (1 + stage2_sectors) * SECTOR_SIZE, kernel.bytes, kernel.size);
    snprintf(summary, sizeof summary,
             "image: boot 1, loader %zu, kernel %zu sectors (%zu bytes), %zu bytes in all\n",
             stage2_sectors, sectors(kernel.size), kernel.size, size);
    free(boot.bytes);
    free(stage2.bytes);
    free(kernel.bytes);
    return image;
}

static void usage(void)
{
    fputs("usage: mkimage --boot FILE --stage2 FILE --kernel FILE [--cmdline TEXT] [--size BYTES] "
          "--out FILE\n",
          stderr);
    exit(2);
}

static size_t parse_size(const char *text)
{
    char *end;
    unsigned long size = strtoul(text, &end, 10);

    if (*text < '0' || *text > '9' || *end != '\0' || size % SECTOR_SIZE != 0 || size > FILE_MAX)
        die("--size %s: not a number of bytes in whole sectors, up to %d", text, FILE_MAX);
    return size;
}

int main(int argc, char **argv)
{
    enum { BOOT, STAGE2, KERNEL, OUT, CMDLINE, SIZE, OPTIONS };
    static const struct option options[] = {
        {"boot", required_argument, NULL, BOOT},
        {"stage2", required_argument, NULL, STAGE2},
        {"kernel", required_argument, NULL, KERNEL},
        {"out", required_argument, NULL, OUT},
        {"cmdline", required_argument, NULL, CMDLINE},
        {"size", required_argument, NULL, SIZE},
        {0},
    };
    const char *value[OPTIONS] = {[CMDLINE] = "", [SIZE] = "0"};
    struct file image;
    FILE *out;
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option < 0 || option >= OPTIONS)
            usage();
        value[option] = optarg;
    }
    if (optind != argc || !value[BOOT] || !value[STAGE2] || !value[KERNEL] || !value[OUT])
        usage();
    if (strlen(value[CMDLINE]) >= IMAGE_COMMAND_MAX)
        die("the command line is longer than %d characters", IMAGE_COMMAND_MAX - 1);
    image =
        build(value[BOOT], value[STAGE2], value[KERNEL], value[CMDLINE], parse_size(value[SIZE]));
    out = fopen(value[OUT], "wb");
    if (out == NULL || fwrite(image.bytes, 1, image.size, out) != image.size || fclose(out) != 0)
        die("%s: %s", value[OUT], strerror(errno));
    free(image.bytes);
    fputs(summary, stdout);
    return 0;
}
