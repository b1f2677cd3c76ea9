/*
 * The file system. A file of the archive, POSIX ustar, is read where it lies. One that was written
 * to has its bytes in a window of the kernel's address space, one for each slot of the table, which
 * is backed by pages as far as the file goes: so every file is one piece of memory to its reader.
 *
 * A disk would come in here: file_init would list its archive, and file_write and file_remove would
 * pass on what they did.
 */
#include "kernel/file/file.h"

#include "common/string.h"
#include "kernel/memory/memory.h"

enum { BLOCK = 512, ORDINARY_FILE = '0' };

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

    for (struct file *file = file_table; file < file_table + FILE_MAX;) {
        uint32_t size = octal(h->size);

        if ((const char *)h >= archive_end || memcmp(h->magic, "ustar", sizeof h->magic) != 0)
            break;
        if (h->type == ORDINARY_FILE) {
            string_copy(file->name, h->name, sizeof file->name);
            file->bytes = (const char *)(h + 1);
            file++->size = size;
        }
        h += 1 + (size + BLOCK - 1) / BLOCK;
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

static char *window(const struct file *file)
{
    return (char *)FILE_BASE + (uint32_t)(file - file_table) * FILE_SIZE_MAX;
}

/* Backs a file's window with pages up to `size`, and gives back those that lie behind. */
static bool resize(const struct file *file, uint32_t size)
{
    uint32_t begin = (uint32_t)window(file), at = begin, space = space_kernel();

    for (; at < begin + size; at += PAGE_SIZE)
        if (space_find(space, at, SPACE_WRITE) == NULL && !space_add(space, at, SPACE_WRITE))
            return false;
    for (; at < begin + FILE_SIZE_MAX && space_find(space, at, SPACE_WRITE); at += PAGE_SIZE)
        space_remove(at);
    return true;
}

int file_write(const char *name, uint32_t offset, const void *from, uint32_t length)
{
    struct file *file = file_find(name);
    uint32_t own_size = 0;

    if (name[0] == '\0' || offset > (file != NULL ? file->size : 0) ||
        length > FILE_SIZE_MAX - offset)
        return ERROR_BAD_ARGUMENT;
    if (file == NULL)
        file = lookup(""); /* an unused slot */
    if (file == NULL)
        return ERROR_TABLE_FULL;
    if (file->bytes == window(file))
        own_size = file->size;
    if (!resize(file, offset + length)) {
        resize(file, own_size);
        return ERROR_NO_MEMORY;
    }
    if (file->bytes != window(file))
        memcpy(window(file), file->bytes, offset);
    memcpy(window(file) + offset, from, length);
    string_copy(file->name, name, sizeof file->name);
    file->bytes = window(file);
    file->size = offset + length;
    return (int)length;
}

int file_remove(const char *name)
{
    struct file *file = file_find(name);

    if (file == NULL)
        return ERROR_NO_FILE;
    resize(file, 0);
    *file = (struct file){.size = 0};
    return 0;
}
