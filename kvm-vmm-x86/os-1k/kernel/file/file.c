/*
 * The file system. A file of the archive, POSIX ustar, is read where it lies. One that was written
 * to lies in pages in a row: so every file is one piece of memory to its reader.
 *
 * A disk would come in here: file_init would list its archive, and file_write and file_remove would
 * pass on what they did.
 */
#include "kernel/file/file.h"

#include "common/string.h"
#include "kernel/memory/memory.h"

enum { BLOCK = 512, ORDINARY_FILE = '0', SIZE_LIMIT = 0x100000 };

struct tar_header {
    char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type, link[100];
    char magic[6], rest[249];
};
_Static_assert(sizeof(struct tar_header) == BLOCK, "POSIX.1-2017, pax, table 4-14");

extern const char archive_begin[], archive_end[]; /* made by the Makefile */

struct file file_table[FILE_MAX];

static uint32_t octal(const char *digits)
{
    uint32_t value = 0;

    while (*digits >= '0' && *digits <= '7')
        value = value * 8 + (uint32_t)(*digits++ - '0');
    return value;
}

void file_init(void)
{
    const struct tar_header *h = (const struct tar_header *)archive_begin;
    struct file *file = file_table;

    for (; (const char *)h < archive_end && memcmp(h->magic, "ustar", sizeof h->magic) == 0;
         h += 1 + (octal(h->size) + BLOCK - 1) / BLOCK) {
        if (h->type != ORDINARY_FILE || file == file_table + FILE_MAX)
            continue;
        file->size = octal(h->size);
        file->bytes = (char *)(uintptr_t)(h + 1); /* not to be written to */
        string_copy(file++->name, h->name, sizeof file->name);
    }
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
    struct file *file = file_find(name);
    char *bytes;

    if (name[0] == '\0' || offset > (file != NULL ? file->size : 0) || length > SIZE_LIMIT - offset)
        return ERROR_BAD_ARGUMENT;
    if (file == NULL)
        file = lookup(""); /* a free place */
    if (file == NULL)
        return ERROR_TABLE_FULL;
    bytes = file->bytes;
    if (!has_pages(file) || pages(file->size) != pages(offset + length)) {
        bytes = page_alloc(pages(offset + length));
        if (bytes == NULL)
            return ERROR_NO_MEMORY;
        memcpy(bytes, file->bytes, offset);
        give_back_pages(file);
    }
    memcpy(bytes + offset, from, length);
    *file = (struct file){.size = offset + length, .bytes = bytes};
    string_copy(file->name, name, sizeof file->name);
    return (int)length;
}

int file_remove(const char *name)
{
    struct file *file = file_find(name);

    if (file == NULL)
        return ERROR_NO_FILE;
    give_back_pages(file);
    *file = (struct file){.size = 0};
    return 0;
}
