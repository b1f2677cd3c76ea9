/* Fuzzer of the frame decoder: arbitrary bytes must decode to the same frames in pieces of any
 * size, and each frame must be equal after it is encoded and decoded again. */
#include <stdlib.h>
#include <string.h>

#include "lab/wire/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool good)
{
    if (!good)
        abort();
}

static void resend(const struct frame_decoder *frame)
{
    static struct frame_decoder again;
    static uint8_t wire[FRAME_WIRE_MAX];
    size_t sent = frame_encode(frame->body, frame->length, wire);
    bool complete;

    memset(&again, 0, sizeof(again));
    demand(sent <= sizeof(wire));
    demand(frame_decode(&again, wire, sent, &complete) == sent && complete);
    demand(again.length == frame->length && !memcmp(again.body, frame->body, frame->length));
}

static unsigned decode(const uint8_t *data, size_t size, size_t step)
{
    static struct frame_decoder decoder;
    unsigned frames = 0;

    memset(&decoder, 0, sizeof(decoder));
    for (size_t used = 0; used < size;) {
        size_t run = size - used < step ? size - used : step;
        bool complete;

        used += frame_decode(&decoder, data + used, run, &complete);
        if (complete)
            resend(&decoder);
        frames += complete;
    }
    return frames;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    demand(decode(data, size, size) == decode(data, size, 3));
    return 0;
}
