/*
 * The file system. A file of the archive (POSIX ustar) is read in place. One that was written to is
 * in consecutive pages. So every file is one piece of memory to its reader.
 *
 * A disk also holds an archive, of the files that are not from the image, in the order of the
 * table. It is read as a whole at boot. A change to a file writes that file to the disk, and all
 * files after it if they move.
 */
#include "kernel/file/file.h"

#include "common/string.h"
#include "kernel/device/device.h"
#include "kernel/device/disk.h"
#include "kernel/memory/memory.h"

enum {
    BLOCK = DISK_SECTOR,
    ORDINARY_FILE = '0',
    SIZE_LIMIT = 0x100000,
    END = 2,      /* blocks of zeroes behind an archive */
    BLANK = 136,  /* and on a disk without files: other file systems begin within 64 KB */
    RESERVE = 128 /* pages that files leave to programs */
};

struct tar_header {
    char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type, link[100];
    char magic[6], version[2], owner[80], prefix[155], rest[12];
};
_Static_assert(sizeof(struct tar_header) == BLOCK, "POSIX.1-2017, pax, table 4-14");

extern const char archive_begin[], archive_end[]; /* made by the Makefile */

struct file file_table[FILE_MAX];

/* Digits, and behind them a blank or a zero byte; false: the field holds something else. */
static bool octal(const char *field, size_t size, uint64_t *value)
{
    size_t i = 0;

    for (*value = 0; i < size - 1 && field[i] >= '0' && field[i] <= '7'; i++)
        *value = *value * 8 + (uint64_t)(field[i] - '0');
    return i > 0 && (field[i] == '\0' || field[i] == ' ');
}

/* The sum of all bytes, with blanks for the checksum itself. */
static uint32_t checksum(const struct tar_header *h)
{
    uint32_t sum = sizeof h->checksum * ' ';

    for (size_t i = 0; i < sizeof *h; i++)
        sum += ((const unsigned char *)h)[i];
    for (size_t i = 0; i < sizeof h->checksum; i++)
        sum -= (unsigned char)h->checksum[i];
    return sum;
}

/* False: the header is invalid. */
static bool check_header(const struct tar_header *h, uint64_t *size)
{
    uint64_t sum;

    return memcmp(h->magic, "ustar", sizeof h->magic) == 0 &&
           octal(h->checksum, sizeof h->checksum, &sum) && sum == checksum(h) &&
           octal(h->size, sizeof h->size, size);
}

static struct file *lookup(const char *name)
{
    for (struct file *file = file_table; file < file_table + FILE_MAX; file++)
        if (strcmp(file->name, name) == 0)
            return file;
    return NULL;
}

struct file *file_find(const char *name)
{
    return name[0] != '\0' ? lookup(name) : NULL;
}

static uint32_t pages(uint32_t size)
{
    return size / PAGE_SIZE + 1;
}

static uint32_t blocks(uint64_t size)
{
    return (uint32_t)((size + BLOCK - 1) / BLOCK);
}

static char *alloc(uint32_t size)
{
    return kernel_info.pages_free < pages(size) + RESERVE ? NULL : page_alloc(pages(size));
}

/* Lists the image's files; returns the first free entry. */
static struct file *list_archive(void)
{
    const struct tar_header *h = (const struct tar_header *)archive_begin;
    struct file *file = file_table;
    uint64_t size;

    for (; (const char *)h < archive_end && check_header(h, &size); h += 1 + blocks(size)) {
        if (h->type != ORDINARY_FILE || h->name[0] == '\0' || file == file_table + FILE_MAX)
            continue;
        file->size = (uint32_t)size;
        file->bytes = (char *)(uintptr_t)(h + 1); /* not to be written to */
        string_copy(file++->name, h->name, sizeof file->name);
    }
    return file;
}

/* --- the disk --- */

static bool disk_kept;   /* files that are written to are written to the disk */
static bool disk_locked; /* there is a disk, but nothing can be written to it */

static const char not_ours[] = "it holds more than an archive of files";
static const char not_readable[] = "it cannot be read";

static bool is_zero(const void *bytes, size_t size)
{
    for (const char *at = bytes; size > 0; at++, size--)
        if (*at != '\0')
            return false;
    return true;
}

static uint32_t blank_blocks(void)
{
    return disk_sectors() < BLANK ? disk_sectors() : BLANK;
}

static bool is_blank(void)
{
    uint32_t size = blank_blocks() * BLOCK;
    char *bytes = alloc(size);
    bool blank = bytes != NULL && disk_read(0, bytes, blank_blocks()) && is_zero(bytes, size);

    if (bytes != NULL)
        page_free(bytes, pages(size));
    return blank;
}

/* NULL, or why it is left out. A file that is left out must not be overwritten. */
static const char *read_file(const struct tar_header *h, uint64_t size, uint32_t sector,
                             struct file *file)
{
    struct file *same = file_find(h->name);
    char *bytes;

    if (h->type != ORDINARY_FILE || size > SIZE_LIMIT || file == file_table + FILE_MAX ||
        h->name[0] == '\0' || memchr(h->name, '\0', sizeof file->name) == NULL ||
        h->prefix[0] != '\0' || (same != NULL && same->on_disk))
        return not_ours;
    if (strcmp(h->name, FIRST_PROGRAM) == 0)
        return "its " FIRST_PROGRAM " cannot stand for the image's";
    bytes = alloc((uint32_t)size);
    if (bytes == NULL)
        return "out of memory for its files";
    if (size > 0 && !disk_read(sector, bytes, blocks(size))) {
        page_free(bytes, pages((uint32_t)size));
        return not_readable;
    }
    if (same != NULL)
        *same = (struct file){.size = 0}; /* the disk's file replaces the image's */
    *file = (struct file){.size = (uint32_t)size, .bytes = bytes, .on_disk = true};
    string_copy(file->name, h->name, sizeof file->name);
    return NULL;
}

/* An archive ends with two blocks of zeroes, or with the disk. A single one means damage, and the
 * data after it may be valuable. */
static const char *after_zeroes(uint32_t at, struct tar_header *h)
{
    if (at == disk_sectors())
        return NULL;
    if (!disk_read(at, h, 1))
        return not_readable;
    return is_zero(h, sizeof *h) ? NULL : not_ours;
}

/* Reads the disk's files into the table from `file` on, in order, up to something that is not a
 * header. */
static void read_disk(struct file *file)
{
    static struct tar_header h;
    const char *problem = NULL, *wrong;
    uint64_t size;

    for (uint32_t at = 0; at < disk_sectors(); at += 1 + blocks(size)) {
        if (!disk_read(at, &h, 1)) {
            problem = not_readable;
            break;
        }
        if (is_zero(&h, sizeof h)) {
            wrong = at == 0 ? (is_blank() ? NULL : not_ours) : after_zeroes(at + 1, &h);
            if (wrong != NULL)
                problem = wrong;
            break;
        }
        if (!check_header(&h, &size)) {
            problem = not_ours;
            break;
        }
        wrong = read_file(&h, size, at + 1, file);
        if (wrong == NULL)
            file++;
        else
            problem = wrong;
    }
    disk_kept = problem == NULL && disk_can_write();
    disk_locked = !disk_kept;
    if (problem != NULL)
        console_print("the disk is only read: %s\n", problem);
}

static void put_octal(char *digits, unsigned count, uint32_t value)
{
    for (; count > 0; value /= 8)
        digits[--count] = (char)('0' + value % 8);
}

static bool write_file(const struct file *file, uint32_t at)
{
    static struct tar_header h;
    uint32_t size = file->size;

    h = (struct tar_header){.mode = "0000644",
                            .uid = "0000000",
                            .gid = "0000000",
                            .mtime = "00000000000",
                            .type = ORDINARY_FILE,
                            .magic = "ustar",
                            .version = "00"};
    string_copy(h.name, file->name, sizeof h.name);
    put_octal(h.size, sizeof h.size - 1, size);
    put_octal(h.checksum, 6, checksum(&h));
    h.checksum[7] = ' ';
    memset(file->bytes + size, 0, blocks(size) * BLOCK - size);
    return disk_write(at, &h, 1) && (size == 0 || disk_write(at + 1, file->bytes, blocks(size)));
}

/* The file's sector on the disk: after the files before it in the table. */
static uint32_t place(const struct file *file)
{
    uint32_t at = 0;

    for (const struct file *f = file_table; f < file; f++)
        at += f->on_disk ? 1 + blocks(f->size) : 0;
    return at;
}

/* Writes a file; if it changed its size in blocks, also all after it and the archive's end. */
static bool save(const struct file *file, bool moves)
{
    static char zeroes[BLANK * BLOCK]; /* never written to; a constant would be in the image */
    uint32_t at = place(file);

    for (const struct file *f = file; f < file_table + (moves ? FILE_MAX : file - file_table + 1);
         f++) {
        if (!f->on_disk)
            continue;
        if (!write_file(f, at))
            return false;
        at += 1 + blocks(f->size);
    }
    return (!moves || disk_write(at, zeroes, at > 0 ? END : blank_blocks())) && disk_flush();
}

void file_init(void)
{
    struct file *next = list_archive();

    if (disk_sectors() > 0)
        read_disk(next);
    if (disk_kept)
        kernel_info.features |= SYSTEM_DISK;
    if (disk_locked)
        kernel_info.features |= SYSTEM_LOCKED;
}

static bool has_pages(const struct file *file)
{
    return file->bytes > image_end;
}

static void give_back_pages(const struct file *file)
{
    if (has_pages(file))
        page_free(file->bytes, pages(file->size));
}

int file_write(const char *name, uint32_t offset, const void *from, uint32_t length)
{
    struct file *file = file_find(name), before;
    uint32_t room;
    char *bytes;

    if (disk_locked)
        return ERROR_DISK;
    if (name[0] == '\0' || strcmp(name, FIRST_PROGRAM) == 0 ||
        offset > (file != NULL ? file->size : 0) || length > SIZE_LIMIT - offset)
        return ERROR_BAD_ARGUMENT;
    if (file == NULL)
        file = lookup(""); /* a free place */
    if (file == NULL)
        return ERROR_TABLE_FULL;
    room = 1 + blocks(offset + length) - (file->on_disk ? 1 + blocks(file->size) : 0);
    if (disk_kept && place(file_table + FILE_MAX) + room + END > disk_sectors())
        return ERROR_DISK;
    before = *file;
    bytes = file->bytes;
    if (!has_pages(file) || pages(file->size) != pages(offset + length)) {
        bytes = alloc(offset + length);
        if (bytes == NULL)
            return ERROR_NO_MEMORY;
        memcpy(bytes, file->bytes, offset);
        give_back_pages(file);
    }
    memcpy(bytes + offset, from, length);
    *file = (struct file){.size = offset + length, .bytes = bytes, .on_disk = disk_kept};
    string_copy(file->name, name, sizeof file->name);
    if (disk_kept && !save(file, !before.on_disk || blocks(before.size) != blocks(file->size)))
        return ERROR_DISK;
    return (int)length;
}

int file_remove(const char *name)
{
    struct file *file = file_find(name);

    bool was_on_disk = file != NULL && file->on_disk;

    if (file == NULL)
        return ERROR_NO_FILE;
    if (was_on_disk && disk_locked)
        return ERROR_DISK;
    give_back_pages(file);
    *file = (struct file){.size = 0};
    return was_on_disk && !save(file, true) ? ERROR_DISK : 0;
}
