/*
 * What a guest printed and when: the newest bytes, cut into pieces that each carry a time. Constant
 * memory. The writer is whoever holds the console's lock; read when the guest has ended.
 */
#ifndef LOG_OUTPUT_H
#define LOG_OUTPUT_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum { LOG_OUTPUT_BYTES = 256 * 1024, LOG_OUTPUT_PIECES = 8192, LOG_OUTPUT_LINE = 4096 };

/* A line is cut where the guest paused for so many cycles, some 50 ms: a prompt and its answer. */
#define LOG_OUTPUT_PAUSE (UINT64_C(1) << 27)

struct log_piece {
    uint64_t start; /* which byte of all that was printed it begins with */
    uint64_t time;  /* when that byte came, in cycles */
};

struct log_output {
    uint8_t *bytes;           /* LOG_OUTPUT_BYTES; NULL: nothing is kept */
    struct log_piece *pieces; /* LOG_OUTPUT_PIECES */
    uint64_t byte_total, piece_total;
    uint64_t last; /* when the last byte came */
};

int log_output_create(struct log_output *output, struct error *error) MUST_CHECK;
void log_output_destroy(struct log_output *output);

void log_output_add(struct log_output *output, const uint8_t *bytes, size_t count, uint64_t time);

/* The pieces that are still whole: index first to log_output_end() - 1. */
uint64_t log_output_first(const struct log_output *output);
static inline uint64_t log_output_end(const struct log_output *output)
{
    return output->piece_total;
}

/* A piece's time and size; its bytes by log_output_byte(output, piece->start + i). */
const struct log_piece *log_output_piece(const struct log_output *output, uint64_t index);
size_t log_output_size(const struct log_output *output, uint64_t index);
static inline uint8_t log_output_byte(const struct log_output *output, uint64_t at)
{
    return output->bytes[at % LOG_OUTPUT_BYTES];
}

/* Bytes that are no longer there. */
uint64_t log_output_dropped(const struct log_output *output);

#endif
