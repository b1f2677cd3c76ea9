/* Writes flattened device trees; see fdt.h. Layout of the result: header, an empty memory
 * reservation block, structure, strings. */
#include "common/fdt.h"
#include "common/fdt_format.h"

enum { STRUCTURE_AT = FDT_HEADER_SIZE + 16 }; /* after the reservation block's closing entry */

static void store32(uint8_t *at, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> (24 - 8 * i));
}

/* Room for `n` more bytes, zeroed, or NULL once the buffer is full. */
static uint8_t *reserve(struct fdt_writer *w, size_t n)
{
    uint8_t *at = w->buffer + w->used;

    if (w->error == FDT_OK && n > w->size - w->used)
        w->error = FDT_NO_SPACE;
    if (w->error != FDT_OK)
        return NULL;
    for (size_t i = 0; i < n; i++)
        at[i] = 0;
    w->used += n;
    return at;
}

static void put_bytes(uint8_t *to, const void *from, size_t n)
{
    const uint8_t *f = from;

    while (n-- > 0)
        *to++ = *f++;
}

static void put_token(struct fdt_writer *w, uint32_t token)
{
    uint8_t *at = reserve(w, 4);

    if (at != NULL)
        store32(at, token);
}

static size_t length_of(const char *text)
{
    size_t n = 0;

    while (text[n] != '\0')
        n++;
    return n;
}

/* The offset of `name` in the string table, where equal names are kept once. */
static uint32_t string_offset(struct fdt_writer *w, const char *name)
{
    size_t length = length_of(name) + 1;

    for (size_t at = 0; at < w->strings_used; at += length_of(w->strings + at) + 1) {
        size_t i = 0;

        while (i < length && w->strings[at + i] == name[i])
            i++;
        if (i == length)
            return (uint32_t)at;
    }
    if (length > sizeof w->strings - w->strings_used) {
        w->error = FDT_NO_SPACE;
        return 0;
    }
    put_bytes((uint8_t *)w->strings + w->strings_used, name, length);
    w->strings_used += length;
    return (uint32_t)(w->strings_used - length);
}

void fdt_start(struct fdt_writer *w, void *buffer, size_t size)
{
    *w = (struct fdt_writer){.buffer = buffer, .size = size};
    (void)reserve(w, STRUCTURE_AT);
}

void fdt_begin_node(struct fdt_writer *w, const char *name)
{
    size_t length = length_of(name) + 1;
    uint8_t *at;

    if (w->error == FDT_OK && w->depth++ >= FDT_DEPTH_MAX)
        w->error = FDT_MALFORMED;
    put_token(w, FDT_BEGIN_NODE);
    at = reserve(w, FDT_ALIGN(length));
    if (at != NULL)
        put_bytes(at, name, length);
}

void fdt_begin_node_at(struct fdt_writer *w, const char *name, uint64_t address)
{
    static const char hex[] = "0123456789abcdef";
    char text[64];
    size_t n = 0;
    int shift = 60;

    while (name[n] != '\0' && n < sizeof text - 18) {
        text[n] = name[n];
        n++;
    }
    text[n++] = '@';
    while (shift > 0 && (address >> shift & 15) == 0)
        shift -= 4;
    for (; shift >= 0; shift -= 4)
        text[n++] = hex[address >> shift & 15];
    text[n] = '\0';
    fdt_begin_node(w, text);
}

void fdt_end_node(struct fdt_writer *w)
{
    if (w->error == FDT_OK && w->depth-- <= 0)
        w->error = FDT_MALFORMED;
    put_token(w, FDT_END_NODE);
}

void fdt_put(struct fdt_writer *w, const char *name, const void *value, size_t size)
{
    uint32_t offset = string_offset(w, name);
    uint8_t *at = reserve(w, 12 + FDT_ALIGN(size));

    if (at == NULL)
        return;
    store32(at, FDT_PROP);
    store32(at + 4, (uint32_t)size);
    store32(at + 8, offset);
    put_bytes(at + 12, value, size);
}

void fdt_put_text(struct fdt_writer *w, const char *name, const char *text)
{
    fdt_put(w, name, text, length_of(text) + 1);
}

void fdt_put_cells(struct fdt_writer *w, const char *name, const uint32_t *cells, size_t count)
{
    uint32_t offset = string_offset(w, name);
    uint8_t *at = reserve(w, 12 + count * 4);

    if (at == NULL)
        return;
    store32(at, FDT_PROP);
    store32(at + 4, (uint32_t)count * 4);
    store32(at + 8, offset);
    for (size_t i = 0; i < count; i++)
        store32(at + 12 + i * 4, cells[i]);
}

void fdt_put_u32(struct fdt_writer *w, const char *name, uint32_t value)
{
    fdt_put_cells(w, name, &value, 1);
}

void fdt_put_u64(struct fdt_writer *w, const char *name, uint64_t value)
{
    fdt_put_cells(w, name, (uint32_t[]){(uint32_t)(value >> 32), (uint32_t)value}, 2);
}

void fdt_put_reg(struct fdt_writer *w, uint64_t address, uint64_t size)
{
    fdt_put_cells(w, "reg",
                  (uint32_t[]){(uint32_t)(address >> 32), (uint32_t)address, (uint32_t)(size >> 32),
                               (uint32_t)size},
                  4);
}

int fdt_finish(struct fdt_writer *w)
{
    size_t structure_end, total;
    uint8_t *strings;
    const uint32_t depth = (uint32_t)w->depth;

    put_token(w, FDT_END);
    structure_end = w->used;
    strings = reserve(w, w->strings_used);
    if (w->error == FDT_OK && depth != 0)
        w->error = FDT_MALFORMED;
    if (strings == NULL || w->error != FDT_OK)
        return w->error;
    put_bytes(strings, w->strings, w->strings_used);
    total = w->used;
    store32(w->buffer, FDT_MAGIC);
    store32(w->buffer + 4, (uint32_t)total);
    store32(w->buffer + 8, STRUCTURE_AT);
    store32(w->buffer + 12, (uint32_t)structure_end);
    store32(w->buffer + 16, FDT_HEADER_SIZE);
    store32(w->buffer + 20, FDT_VERSION);
    store32(w->buffer + 24, FDT_OLDEST);
    store32(w->buffer + 32, (uint32_t)w->strings_used);
    store32(w->buffer + 36, (uint32_t)(structure_end - STRUCTURE_AT));
    return (int)total;
}
