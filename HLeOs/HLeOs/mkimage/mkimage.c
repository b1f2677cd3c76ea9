/*
 * mkimage: makes HLeOs's bootable disk image from boot sector, second stage, kernel and a file
 * system. It only reads and writes files: no root, no loop devices.
 *
 *   sector 0              boot sector, with a partition table
 *   sectors 1 to N        second stage; its image table (boot/layout.h) filled in
 *   sectors N+1 onwards   the kernel's ELF file
 *   the next block        with --fs, a file system of that many bytes (abi/hleos_fs.h)
 *
 * The image is padded to whole cylinders of 16 heads and 63 sectors, which every emulator accepts
 * as a disk, or to --size (1474560 makes a floppy). The partition table has an active entry of type
 * 0xda, "no file system", for loader and kernel, and one for the file system. With --fs and no
 * kernel, the image is only a file system.
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
#include "abi/hleos_fs.h"
#include "common/crc32.h"
#include "fs/fs.h"
#include "mkfs.h"

enum { HEADS = 16, TRACK = 63, CYLINDER = HEADS * TRACK * SECTOR_SIZE };
enum { FILE_MAX = 256 << 20, ADDED_MAX = 256 };

static char summary[160]; /* describes the image */

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

/* Writes partition number `number`. Its two cylinder-head-sector fields mean "use the LBA". */
static void partition(unsigned char *sector, int number, unsigned flags, unsigned type,
                      size_t first, size_t count)
{
    static const unsigned char use_lba[3] = {0xfe, 0xff, 0xff};
    unsigned char *entry = sector + PARTITION_OFFSET + number * 16;

    entry[0] = (unsigned char)flags;
    memcpy(entry + 1, use_lba, sizeof use_lba);
    entry[4] = (unsigned char)type;
    memcpy(entry + 5, use_lba, sizeof use_lba);
    put_u32(entry + 8, first);
    put_u32(entry + 12, count);
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

/* The parts of the image. */
struct parts {
    struct file boot, stage2, kernel;
    const char *command_line;
    size_t size, fs_size;
    struct mkfs_file added[ADDED_MAX];
    size_t added_count;
};

static void make_fs(unsigned char *bytes, const struct parts *parts)
{
    const char *why = mkfs_format(bytes, parts->fs_size);
    size_t which;
    int error;

    if (why != NULL)
        die("--fs %zu: %s", parts->fs_size, why);
    error = mkfs_add(bytes, parts->fs_size, parts->added, parts->added_count, &which);
    if (error < 0)
        die("--add %s: %s", parts->added[which].path, fs_error_text(error));
}

static struct file new_image(size_t size)
{
    struct file image = {calloc(1, size), size};

    if (image.bytes == NULL)
        die("no memory for an image of %zu bytes", size);
    return image;
}

/* Many BIOSes boot only from a disk with an active partition. */
static struct file build(const struct parts *parts)
{
    size_t stage2_sectors = sectors(parts->stage2.size), size = parts->size;
    size_t kernel_at = 1 + stage2_sectors, end = kernel_at + sectors(parts->kernel.size);
    size_t fs_at = (end * SECTOR_SIZE + HLEOS_FS_BLOCK - 1) / HLEOS_FS_BLOCK * HLEOS_FS_BLOCK;
    size_t content = parts->fs_size > 0 ? fs_at + parts->fs_size : end * SECTOR_SIZE;
    struct file image;

    if (size == 0)
        size = (content + CYLINDER - 1) / CYLINDER * CYLINDER;
    if (content > size)
        die("%zu bytes do not fit in an image of %zu", content, size);
    image = new_image(size);
    memcpy(image.bytes, parts->boot.bytes, parts->boot.size);
    put_u16(image.bytes + STAGE2_SECTORS_OFFSET, (unsigned)stage2_sectors);
    put_u32(image.bytes + DISK_SIGNATURE_OFFSET, 0x4f654c48);
    partition(image.bytes, 0, 0x80, 0xda, 1, (parts->fs_size > 0 ? fs_at : size) / SECTOR_SIZE - 1);
    memcpy(image.bytes + SECTOR_SIZE, parts->stage2.bytes, parts->stage2.size);
    fill_table(image.bytes + SECTOR_SIZE, stage2_sectors, &parts->kernel, parts->command_line);
    memcpy(image.bytes + kernel_at * SECTOR_SIZE, parts->kernel.bytes, parts->kernel.size);
    if (parts->fs_size > 0) {
        partition(image.bytes, 1, 0, HLEOS_FS_PARTITION, fs_at / SECTOR_SIZE,
                  parts->fs_size / SECTOR_SIZE);
        make_fs(image.bytes + fs_at, parts);
    }
    snprintf(summary, sizeof summary,
             "image: boot 1, loader %zu, kernel %zu sectors (%zu bytes), file system %zu, %zu "
             "bytes in all\n",
             stage2_sectors, sectors(parts->kernel.size), parts->kernel.size, parts->fs_size, size);
    return image;
}

static struct file build_fs(const struct parts *parts)
{
    struct file image = new_image(parts->fs_size);

    make_fs(image.bytes, parts);
    snprintf(summary, sizeof summary, "image: a file system of %zu bytes\n", parts->fs_size);
    return image;
}

static void usage(void)
{
    fputs("usage: mkimage --boot FILE --stage2 FILE --kernel FILE [--cmdline TEXT] [--size BYTES] "
          "[--fs BYTES] [--add FILE=PATH]... --out FILE\n"
          "       mkimage --fs BYTES [--add FILE=PATH]... --out FILE\n",
          stderr);
    exit(2);
}

static size_t parse_size(const char *option, const char *text, size_t unit)
{
    char *end;
    unsigned long size = strtoul(text, &end, 10);

    if (*text < '0' || *text > '9' || *end != '\0' || size % unit != 0 || size > FILE_MAX)
        die("%s %s: not a number of bytes, in whole %s and at most %d", option, text,
            unit == SECTOR_SIZE ? "sectors" : "blocks of 4096", FILE_MAX);
    return size;
}

/* FILE=PATH */
static void add_file(struct parts *parts, char *text)
{
    char *equals = strrchr(text, '=');
    struct file file;

    if (equals == NULL || equals[1] != '/')
        die("--add %s: not FILE=/PATH", text);
    if (parts->added_count == ADDED_MAX)
        die("--add %s: more than %d files", text, ADDED_MAX);
    *equals = '\0';
    file = read_file(text);
    parts->added[parts->added_count++] = (struct mkfs_file){equals + 1, file.bytes, file.size};
}

static void read_parts(struct parts *parts, const char *boot, const char *stage2,
                       const char *kernel)
{
    parts->boot = read_file(boot);
    parts->stage2 = read_file(stage2);
    parts->kernel = read_file(kernel);
    if (parts->boot.size != SECTOR_SIZE)
        die("%s: a boot sector has %d bytes, not %zu", boot, SECTOR_SIZE, parts->boot.size);
    if (parts->stage2.size > STAGE2_MAX ||
        parts->stage2.size < IMAGE_TABLE_OFFSET + sizeof(struct image_table))
        die("%s: %zu bytes: too small or too large for a second stage", stage2, parts->stage2.size);
}

static void free_parts(struct parts *parts)
{
    free(parts->boot.bytes);
    free(parts->stage2.bytes);
    free(parts->kernel.bytes);
    for (size_t i = 0; i < parts->added_count; i++)
        free((void *)parts->added[i].bytes);
}

int main(int argc, char **argv)
{
    enum { BOOT, STAGE2, KERNEL, OUT, CMDLINE, SIZE, FS, ADD, OPTIONS };
    static const struct option options[] = {
        {"boot", required_argument, NULL, BOOT},
        {"stage2", required_argument, NULL, STAGE2},
        {"kernel", required_argument, NULL, KERNEL},
        {"out", required_argument, NULL, OUT},
        {"cmdline", required_argument, NULL, CMDLINE},
        {"size", required_argument, NULL, SIZE},
        {"fs", required_argument, NULL, FS},
        {"add", required_argument, NULL, ADD},
        {0},
    };
    const char *value[OPTIONS] = {[CMDLINE] = "", [SIZE] = "0", [FS] = "0"};
    static struct parts parts;
    struct file image;
    FILE *out;
    int option;
    bool bootable;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option < 0 || option >= OPTIONS)
            usage();
        value[option] = optarg;
        if (option == ADD)
            add_file(&parts, optarg);
    }
    parts.command_line = value[CMDLINE];
    parts.size = parse_size("--size", value[SIZE], SECTOR_SIZE);
    parts.fs_size = parse_size("--fs", value[FS], HLEOS_FS_BLOCK);
    bootable = value[BOOT] != NULL || value[STAGE2] != NULL || value[KERNEL] != NULL;
    if (optind != argc || !value[OUT] || (!bootable && parts.fs_size == 0) ||
        (bootable && (!value[BOOT] || !value[STAGE2] || !value[KERNEL])))
        usage();
    if (parts.added_count > 0 && parts.fs_size == 0)
        die("--add needs --fs: there is no file system to add to");
    if (strlen(value[CMDLINE]) >= IMAGE_COMMAND_MAX)
        die("the command line is longer than %d characters", IMAGE_COMMAND_MAX - 1);
    if (bootable)
        read_parts(&parts, value[BOOT], value[STAGE2], value[KERNEL]);
    image = bootable ? build(&parts) : build_fs(&parts);
    out = fopen(value[OUT], "wb");
    if (out == NULL || fwrite(image.bytes, 1, image.size, out) != image.size || fclose(out) != 0)
        die("%s: %s", value[OUT], strerror(errno));
    free(image.bytes);
    free_parts(&parts);
    fputs(summary, stdout);
    return 0;
}
