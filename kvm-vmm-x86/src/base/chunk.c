/* Named, versioned chunks of a saved state; see chunk.h. */
#include "base/chunk.h"

#include <stdio.h>
#include <string.h>

void chunk_write_two(struct chunk_writer *writer, const char *name, uint32_t version,
                     const void *first, size_t first_size, const void *second, size_t second_size)
{
    size_t size = first_size + second_size;
    struct chunk_header header = {.version = version, .size = (uint32_t)size};
    size_t left = writer->room - writer->used;

    if (writer->full || size > UINT32_MAX || left < sizeof header || left - sizeof header < size) {
        writer->full = true;
        return;
    }
    snprintf(header.name, sizeof header.name, "%s", name);
    memcpy(writer->bytes + writer->used, &header, sizeof header);
    memcpy(writer->bytes + writer->used + sizeof header, first, first_size);
    if (second_size > 0)
        memcpy(writer->bytes + writer->used + sizeof header + first_size, second, second_size);
    writer->used += sizeof header + size;
}

void chunk_write(struct chunk_writer *writer, const char *name, uint32_t version, const void *bytes,
                 size_t size)
{
    chunk_write_two(writer, name, version, bytes, size, NULL, 0);
}

int chunk_next(struct chunk_reader *reader, struct chunk *chunk, struct error *error)
{
    struct chunk_header header;

    if (reader->size == 0)
        return 0;
    if (reader->size < sizeof header)
        return error_set(error, "a saved state is cut short");
    memcpy(&header, reader->bytes, sizeof header);
    if (memchr(header.name, '\0', sizeof header.name) == NULL ||
        header.size > reader->size - sizeof header)
        return error_set(error, "a saved state is damaged");
    *chunk = (struct chunk){.name = (const char *)reader->bytes,
                            .version = header.version,
                            .bytes = reader->bytes + sizeof header,
                            .size = header.size};
    reader->bytes += sizeof header + header.size;
    reader->size -= sizeof header + header.size;
    return 1;
}

int chunk_check(const struct chunk *chunk, uint32_t version, size_t size, struct error *error)
{
    if (chunk->version == version && chunk->size == size)
        return 0;
    return error_set(error,
                     "the saved state of %s is of version %u with %zu bytes, not %u with %zu",
                     chunk->name, chunk->version, chunk->size, version, size);
}

int chunk_copy(const struct chunk *chunk, uint32_t version, void *to, size_t size,
               struct error *error)
{
    if (chunk_check(chunk, version, size, error) < 0)
        return -1;
    memcpy(to, chunk->bytes, size);
    return 0;
}
