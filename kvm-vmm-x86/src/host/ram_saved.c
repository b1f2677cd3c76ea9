/* Loads saved RAM; see ram_saved.h. */
#include "host/ram_saved.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/files/pack.h"
#include "host/ram.h"

/* Where layers are read to. */
struct target {
    const struct memory *memory;
    const uint64_t *pages; /* pages that the layer has; NULL: all */
    uint64_t next;         /* where the search for the next taken page starts */
};

/* The first page from `page` on that the layer has, or `end`. */
static uint64_t next_page(const struct target *t, uint64_t page, uint64_t end)
{
    while (t->pages != NULL && page < end && (t->pages[page / 64] >> page % 64 & 1) == 0)
        page += t->pages[page / 64] >> page % 64 == 0 ? 64 - page % 64 : 1;
    return page < end ? page : end;
}

static uint64_t end_of_run(const struct target *t, uint64_t page, uint64_t end)
{
    while (page < end && (t->pages == NULL || (t->pages[page / 64] >> page % 64 & 1) != 0))
        page++;
    return page;
}

/* The address of the page at offset `at` of the file. */
static uint8_t *place_of(const struct memory *memory, uint64_t at)
{
    for (unsigned i = 0; i < memory->count; i++) {
        if (at < memory->slots[i].size)
            return memory->slots[i].host + at;
        at -= memory->slots[i].size;
    }
    return NULL;
}

/* An upper layer has only its own pages, one after another. Zero pages of the lowest layer are not
 * written, since memory is zero already. */
static int unpack_pages(void *context, const uint8_t *bytes, size_t size, uint64_t at)
{
    struct target *t = context;
    uint64_t end = memory_bytes(t->memory) / PAGE_SIZE;

    (void)at; /* they come in order */
    for (size_t pos = 0; pos < size; pos += PAGE_SIZE) {
        uint64_t page = next_page(t, t->next, end);

        if (t->pages != NULL || !memory_is_zero(bytes + pos, PAGE_SIZE))
            memcpy(place_of(t->memory, page * PAGE_SIZE), bytes + pos, PAGE_SIZE);
        t->next = page + 1;
    }
    return 0;
}

/* The part of `run` at `at` that is in one slot. */
static uint64_t part_of_run(const struct memory *memory, uint64_t at, uint64_t run)
{
    unsigned i = 0;

    while (at >= memory->slots[i].size)
        at -= memory->slots[i++].size;
    return run < memory->slots[i].size - at ? run : memory->slots[i].size - at;
}

/* 0, or -1 with errno (0: the file ends before). */
static int read_pages(const struct target *t, int fd, uint64_t pages)
{
    uint64_t page = 0;

    while ((page = next_page(t, page, pages)) < pages) {
        uint64_t at = page * PAGE_SIZE;

        page = end_of_run(t, page, pages);
        while (at < page * PAGE_SIZE) {
            uint64_t part = part_of_run(t->memory, at, page * PAGE_SIZE - at);
            ssize_t n;

            errno = 0;
            n = pread(fd, place_of(t->memory, at), part, (off_t)at);
            if (n <= 0)
                return -1;
            at += (uint64_t)n;
        }
    }
    return 0;
}

/* Bits behind the last page are ignored. */
uint64_t ram_saved_pages(const uint64_t *map, uint64_t pages)
{
    const struct target t = {.pages = map};
    uint64_t count = map != NULL ? 0 : pages;

    for (uint64_t page = 0; map != NULL && (page = next_page(&t, page, pages)) < pages; page++)
        count++;
    return count;
}

static int read_layer(const struct memory *memory, const struct saved_layer *layer,
                      struct error *error)
{
    struct target target = {.memory = memory, .pages = layer->pages};
    uint64_t pages = memory_bytes(memory) / PAGE_SIZE;
    int fd = open(layer->ram, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), result; /* a FIFO */
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0)
        result = error_set(error, "%s: %s", layer->ram, strerror(errno));
    else if (!S_ISREG(st.st_mode))
        result = error_set(error, "%s: not a plain file", layer->ram);
    else if (layer->packed)
        result = pack_read(fd, layer->ram, ram_saved_pages(layer->pages, pages) * PAGE_SIZE,
                           unpack_pages, &target, error);
    else if ((result = read_pages(&target, fd, pages)) < 0)
        error_set(error, "%s: cannot read guest memory from it: %s", layer->ram,
                  errno != 0 ? strerror(errno) : "it is cut short");
    if (fd >= 0)
        close(fd);
    return result;
}

/* Adds the ROM with the lowest layer's contents or, if that is packed, with zeroes. */
static int add_rom(struct memory *memory, const struct saved_layer *lowest, uint64_t size,
                   struct error *error)
{
    uint64_t at = memory_bytes(memory);
    uint8_t *bytes;
    int fd = -1, result = -1;

    if (size == 0)
        return 0;
    bytes = calloc(1, size);
    if (!lowest->packed)
        fd = open(lowest->ram, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (bytes == NULL)
        error_set(error, "out of memory");
    else if (!lowest->packed && (fd < 0 || pread(fd, bytes, size, (off_t)at) != (ssize_t)size))
        error_set(error, "%s: the firmware behind %llu KiB of memory cannot be read", lowest->ram,
                  (unsigned long long)(at / KIB));
    else
        result = ram_add_rom(memory, 4 * GIB - size, bytes, size, error);
    if (fd >= 0)
        close(fd);
    free(bytes);
    return result;
}

int ram_map_saved(struct memory *memory, const struct saved_layer *lowest, uint64_t rom,
                  struct error *error)
{
    if (ram_map(memory, lowest->packed ? MEMORY_ANONYMOUS : MEMORY_FILE, lowest->ram, error) < 0)
        return -1;
    if (add_rom(memory, lowest, rom, error) == 0)
        return 0;
    ram_unmap(memory);
    return -1;
}

int ram_read_saved(const struct memory *memory, const struct saved_layer *layers, unsigned count,
                   struct error *error)
{
    for (unsigned i = layers[0].packed ? 0 : 1; i < count; i++)
        if (read_layer(memory, &layers[i], error) < 0)
            return -1;
    return 0;
}
