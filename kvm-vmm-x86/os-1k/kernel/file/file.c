/*
 * The file system. A file of the archive is read where it lies; the first write to it turns it into
 * a file of pages. A disk would come in here: file_init would list its archive, and file_write and
 * file_remove would pass on what they did.
 */
#include "kernel/file/file.h"

#include <stddef.h>

#include "common/string.h"
#include "kernel/file/tar.h"
#include "kernel/memory/image.h"
#include "kernel/memory/page.h"

enum { POINTERS = PAGE_SIZE / sizeof(uint8_t *), FILE_SIZE_MAX = POINTERS * PAGE_SIZE };

extern const uint8_t archive_begin[], archive_end[]; /* made by the Makefile */

static struct file files[FILE_MAX];

const char *file_store(void)
{
    return "memory, until power off";
}

void file_init(void)
{
    uint32_t position = 0;
    struct tar_entry entry;
    unsigned count = 0;

    while (count < FILE_MAX &&
           tar_next(archive_begin, (uint32_t)(archive_end - archive_begin), &position, &entry)) {
        struct file *file = &files[count++];

        string_copy(file->name, entry.name, sizeof file->name);
        file->original = entry.bytes;
        file->size = entry.size;
    }
}

struct file *file_find(const char *name)
{
    for (unsigned i = 0; i < FILE_MAX; i++)
        if (files[i].name[0] != '\0' && strcmp(files[i].name, name) == 0)
            return &files[i];
    return NULL;
}

const struct file *file_at(unsigned index)
{
    for (unsigned i = 0; i < FILE_MAX; i++)
        if (files[i].name[0] != '\0' && index-- == 0)
            return &files[i];
    return NULL;
}

/* How many bytes of `length` from `offset` on lie in one page. */
static uint32_t piece(uint32_t offset, uint32_t length)
{
    uint32_t room = PAGE_SIZE - offset % PAGE_SIZE;

    return length < room ? length : room;
}

int file_read(const struct file *file, uint32_t offset, void *to, uint32_t length)
{
    if (offset >= file->size)
        return 0;
    if (length > file->size - offset)
        length = file->size - offset;
    if (file->original != NULL) {
        memcpy(to, file->original + offset, length);
        return (int)length;
    }
    for (uint32_t done = 0, n; done < length; done += n) {
        n = piece(offset + done, length - done);
        memcpy((char *)to + done,
               file->pages[(offset + done) / PAGE_SIZE] + (offset + done) % PAGE_SIZE, n);
    }
    return (int)length;
}

/* Gives back the pages that a file of `size` bytes does not need. */
static void cut(struct file *file, uint32_t size)
{
    file->size = size;
    if (file->pages == NULL)
        return;
    for (unsigned i = (size + PAGE_SIZE - 1) / PAGE_SIZE; i < POINTERS && file->pages[i]; i++) {
        page_free(file->pages[i]);
        file->pages[i] = NULL;
    }
    if (size == 0) {
        page_free(file->pages);
        file->pages = NULL;
    }
}

/* Writes behind the end of a file of pages. */
static int append(struct file *file, const char *from, uint32_t length)
{
    if (file->pages == NULL && length > 0)
        file->pages = page_alloc();
    if (file->pages == NULL && length > 0)
        return ERROR_NO_MEMORY;
    for (uint32_t done = 0, n; done < length; done += n, file->size += n) {
        uint8_t **page = &file->pages[file->size / PAGE_SIZE];

        if (*page == NULL)
            *page = page_alloc();
        if (*page == NULL)
            return ERROR_NO_MEMORY;
        n = piece(file->size, length - done);
        memcpy(*page + file->size % PAGE_SIZE, from + done, n);
    }
    return (int)length;
}

/* Turns a file of the archive into one of pages, keeping its first `size` bytes. */
static int detach(struct file *file, uint32_t size)
{
    const uint8_t *original = file->original;
    uint32_t original_size = file->size;
    int error;

    file->original = NULL;
    file->size = 0;
    error = append(file, (const char *)original, size);
    if (error >= 0)
        return 0;
    cut(file, 0);
    file->original = original;
    file->size = original_size;
    return error;
}

static struct file *create(const char *name)
{
    for (unsigned i = 0; i < FILE_MAX; i++) {
        if (files[i].name[0] == '\0') {
            files[i] = (struct file){.size = 0};
            string_copy(files[i].name, name, sizeof files[i].name);
            return &files[i];
        }
    }
    return NULL;
}

int file_write(const char *name, uint32_t offset, const void *from, uint32_t length)
{
    struct file *file = file_find(name);
    int error = 0;

    if (name[0] == '\0' || offset > (file != NULL ? file->size : 0) ||
        length > FILE_SIZE_MAX - offset)
        return ERROR_BAD_ARGUMENT;
    if (file == NULL)
        file = create(name);
    if (file == NULL)
        return ERROR_TABLE_FULL;
    if (file->original != NULL)
        error = detach(file, offset);
    if (error < 0)
        return error;
    cut(file, offset);
    return append(file, from, length);
}

int file_remove(const char *name)
{
    struct file *file = file_find(name);

    if (file == NULL)
        return ERROR_NO_FILE;
    cut(file, 0);
    *file = (struct file){.size = 0};
    return 0;
}
