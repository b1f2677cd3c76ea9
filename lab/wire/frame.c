/* See frame.h. Each block on the wire is a code byte n (1 to 255) and n - 1 bytes that are not
 * zero. A block with n < 255 stands for its bytes and a zero, except that the last block's zero is
 * not part of the body. */
#include "lab/wire/frame.h"

#include <string.h>

#define BLOCK_MAX 254

size_t frame_encode(const uint8_t *body, size_t length, uint8_t *wire)
{
    size_t out = 0;
    size_t in = 0;

    for (;;) {
        size_t rest = length - in;
        size_t limit = rest < BLOCK_MAX ? rest : BLOCK_MAX;
        const uint8_t *zero = memchr(body + in, 0, limit);
        size_t run = zero ? (size_t)(zero - (body + in)) : limit;

        wire[out++] = (uint8_t)(run + 1);
        memcpy(wire + out, body + in, run);
        out += run;
        in += run;
        if (zero)
            in++; /* the end of the block encodes this zero */
        else if (in == length)
            break;
    }
    wire[out++] = 0;
    return out;
}

static void append(struct frame_decoder *decoder, const uint8_t *bytes, size_t length)
{
    if (decoder->broken || length > FRAME_BODY_MAX - decoder->length) {
        decoder->broken = true;
        return;
    }
    memcpy(decoder->body + decoder->length, bytes, length);
    decoder->length += length;
}

static void start(struct frame_decoder *decoder)
{
    decoder->length = 0;
    decoder->left = 0;
    decoder->zero = decoder->broken = decoder->fresh = false;
}

/* A code byte: ends the block before it and opens the next. */
static void open_block(struct frame_decoder *decoder, uint8_t code)
{
    if (decoder->zero)
        append(decoder, &(uint8_t){0}, 1);
    decoder->left = code - 1;
    decoder->zero = code <= BLOCK_MAX;
}

size_t frame_decode(struct frame_decoder *decoder, const uint8_t *wire, size_t length,
                    bool *complete)
{
    size_t in = 0;

    if (decoder->fresh)
        start(decoder);
    *complete = false;
    while (in < length) {
        if (wire[in] == 0) {
            in++;
            if (!decoder->broken && decoder->left == 0 && decoder->length > 0) {
                decoder->fresh = *complete = true;
                return in;
            }
            start(decoder);
        } else if (decoder->left == 0) {
            open_block(decoder, wire[in++]);
        } else {
            size_t rest = length - in;
            size_t run = rest < decoder->left ? rest : decoder->left;
            const uint8_t *zero = memchr(wire + in, 0, run);

            if (zero)
                run = (size_t)(zero - (wire + in));
            append(decoder, wire + in, run);
            decoder->left -= (uint8_t)run;
            in += run;
        }
    }
    return in;
}
