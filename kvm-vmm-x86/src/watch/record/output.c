/* What a guest printed and when; see output.h. */
#include "watch/record/output.h"

#include <stdbool.h>
#include <stdlib.h>

int log_output_create(struct log_output *output, struct error *error)
{
    *output = (struct log_output){.bytes = calloc(1, LOG_OUTPUT_BYTES),
                                  .pieces = calloc(LOG_OUTPUT_PIECES, sizeof *output->pieces)};
    if (output->bytes != NULL && output->pieces != NULL)
        return 0;
    log_output_destroy(output);
    return error_set(error, "no memory to keep a guest's output in");
}

void log_output_destroy(struct log_output *output)
{
    free(output->bytes);
    free(output->pieces);
    *output = (struct log_output){0};
}

/*
 * At a new line, after a pause, and where a line is so long that it would be lost as a whole. A
 * character of UTF-8 is not cut in two for that, unless it goes on and on, as no character does.
 */
static bool begins_piece(const struct log_output *o, uint8_t byte, uint64_t time)
{
    uint64_t size;

    if (o->byte_total == 0 || log_output_byte(o, o->byte_total - 1) == '\n')
        return true;
    size = o->byte_total - log_output_piece(o, o->piece_total - 1)->start;
    if ((byte & 0xc0) == 0x80 && size < 2 * LOG_OUTPUT_LINE)
        return false;
    return size >= LOG_OUTPUT_LINE || time - o->last > LOG_OUTPUT_PAUSE;
}

void log_output_add(struct log_output *output, const uint8_t *bytes, size_t count, uint64_t time)
{
    for (size_t i = 0; i < count; i++) {
        if (begins_piece(output, bytes[i], time))
            output->pieces[output->piece_total++ % LOG_OUTPUT_PIECES] =
                (struct log_piece){.start = output->byte_total, .time = time};
        output->bytes[output->byte_total++ % LOG_OUTPUT_BYTES] = bytes[i];
        output->last = time;
    }
}

const struct log_piece *log_output_piece(const struct log_output *output, uint64_t index)
{
    return &output->pieces[index % LOG_OUTPUT_PIECES];
}

size_t log_output_size(const struct log_output *output, uint64_t index)
{
    uint64_t end = index + 1 < output->piece_total ? log_output_piece(output, index + 1)->start
                                                   : output->byte_total;

    return (size_t)(end - log_output_piece(output, index)->start);
}

uint64_t log_output_first(const struct log_output *output)
{
    uint64_t index =
        output->piece_total > LOG_OUTPUT_PIECES ? output->piece_total - LOG_OUTPUT_PIECES : 0;

    while (index < output->piece_total &&
           output->byte_total - log_output_piece(output, index)->start > LOG_OUTPUT_BYTES)
        index++;
    return index;
}

uint64_t log_output_dropped(const struct log_output *output)
{
    uint64_t first = log_output_first(output);

    return first < output->piece_total ? log_output_piece(output, first)->start
                                       : output->byte_total;
}
