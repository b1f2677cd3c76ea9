/* See mapping.h. Mappings lie between data and stack, each with an unmapped page behind it. */
#include "process/mapping.h"

#include "memory/layout.h"
#include "process.h"

#define BASE    UINT64_C(0x0000200000000000)
#define ALL_MAX (UINT64_C(256) << 20)

enum { CHUNK = 1024 };

/* The lowest address with enough room. Each mapping moves it up at most once. */
static uintptr_t place(const struct process_image *image, uint64_t size)
{
    uintptr_t at = BASE;
    bool moved = true;

    while (moved) {
        moved = false;
        for (unsigned i = 0; i < PROCESS_MAPPINGS; i++) {
            const struct process_mapping *m = &image->mappings[i];

            if (m->size > 0 && at <= m->at + m->size && m->at <= at + size) {
                at = m->at + m->size + PAGE_SIZE;
                moved = true;
            }
        }
    }
    return at;
}

static void unmap(struct space *space, uintptr_t from, uintptr_t to)
{
    for (; from < to; from += PAGE_SIZE)
        space_unmap(space, from);
}

/* Reads through a new open file, so that the position of the program's file does not change. */
static bool fill(struct space *space, uintptr_t at, uint64_t size, const struct file *file,
                 uint64_t offset)
{
    struct file own = {.operations = file->operations, .object = file->object, .offset = offset};
    char chunk[CHUNK];
    int64_t got = CHUNK;

    for (uint64_t done = 0; done < size && got == CHUNK; done += (uint64_t)got) {
        got = own.operations->read(&own, chunk, CHUNK);
        if (got < 0 || thread_interrupted())
            return false;
        if ((uint64_t)got > size - done)
            got = (int64_t)(size - done);
        if (!space_copy_out(space, at + done, chunk, (size_t)got))
            return false;
    }
    return true;
}

int64_t mapping_create(struct process_image *image, uint64_t size, const struct file *file,
                       uint64_t offset)
{
    struct process_mapping *free = NULL;
    uint64_t all = 0, whole = (size + PAGE_SIZE - 1) & ~(uint64_t)(PAGE_SIZE - 1);
    uintptr_t base, at;

    for (unsigned i = 0; i < PROCESS_MAPPINGS; i++) {
        all += image->mappings[i].size;
        if (image->mappings[i].size == 0)
            free = &image->mappings[i];
    }
    if (size == 0 || size > ALL_MAX || all + whole > ALL_MAX || free == NULL)
        return -1;
    if (file != NULL && (!file->readable || !file->operations->seekable || offset > INT64_MAX))
        return -1;
    base = at = place(image, whole);
    while (at < base + whole && space_map(&image->space, at, SPACE_WRITE))
        at += PAGE_SIZE;
    if (at < base + whole || (file != NULL && !fill(&image->space, base, size, file, offset))) {
        unmap(&image->space, base, at);
        return -1;
    }
    *free = (struct process_mapping){base, whole};
    return (int64_t)base;
}

int mapping_remove(struct process_image *image, uintptr_t address, uint64_t size)
{
    for (unsigned i = 0; i < PROCESS_MAPPINGS; i++) {
        struct process_mapping *m = &image->mappings[i];

        if (m->size == 0 || m->at != address || size > m->size || m->size - size >= PAGE_SIZE)
            continue;
        unmap(&image->space, m->at, m->at + m->size);
        m->size = 0;
        return 0;
    }
    return -1;
}
