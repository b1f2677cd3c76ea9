/*
 * A saved state: a row of named, versioned chunks in a buffer that does not grow. What is read may
 * be damaged or made up: each size is held against the bytes at hand.
 */
#ifndef CHUNK_H
#define CHUNK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum { CHUNK_NAME = 24 };

/* Before each chunk's bytes; little-endian, as all that is saved. */
struct chunk_header {
    char name[CHUNK_NAME]; /* padded with zeroes, at least one */
    uint32_t version;
    uint32_t size;
};

struct chunk_writer {
    uint8_t *bytes;
    size_t room, used;
    bool full; /* something did not fit: the contents must not be used */
};

/* Appends a chunk. */
void chunk_write(struct chunk_writer *writer, const char *name, uint32_t version, const void *bytes,
                 size_t size);

/* The same for bytes in two buffers, which become one chunk. */
void chunk_write_two(struct chunk_writer *writer, const char *name, uint32_t version,
                     const void *first, size_t first_size, const void *second, size_t second_size);

struct chunk {
    const char *name;
    uint32_t version;
    const uint8_t *bytes;
    size_t size;
};

struct chunk_reader {
    const uint8_t *bytes;
    size_t size;
};

/* The next chunk: 1, 0 at the end, -1 where what follows is not a chunk. */
int chunk_next(struct chunk_reader *reader, struct chunk *chunk, struct error *error) MUST_CHECK;

/* Whether a chunk has exactly that version and size. */
int chunk_check(const struct chunk *chunk, uint32_t version, size_t size,
                struct error *error) MUST_CHECK;
/* Copies a chunk that must have them. */
int chunk_copy(const struct chunk *chunk, uint32_t version, void *to, size_t size,
               struct error *error) MUST_CHECK;

#endif
