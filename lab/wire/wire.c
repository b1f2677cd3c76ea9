/* See wire.h. */
#include "lab/wire/wire.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* Reserved for small messages: windows, ends and signals can be sent even while data waits. */
#define RESERVE FRAME_WIRE_MAX

void wire_init(struct wire *wire, int fd)
{
    memset(wire, 0, sizeof(*wire));
    wire->fd = fd;
}

/* Moves the waiting bytes to the front, so that the free space is contiguous. */
static size_t room(struct wire *wire)
{
    if (wire->out_start > 0) {
        memmove(wire->out, wire->out + wire->out_start, wire->out_end - wire->out_start);
        wire->out_end -= wire->out_start;
        wire->out_start = 0;
    }
    return WIRE_OUT_SIZE - wire->out_end;
}

int wire_send(struct wire *wire, uint8_t kind, const void *head, size_t head_length,
              const void *rest, size_t rest_length)
{
    uint8_t body[FRAME_BODY_MAX];
    size_t length = 1 + head_length + rest_length;

    if (length > FRAME_BODY_MAX)
        return -EMSGSIZE;
    if (room(wire) < length + length / 254 + 2)
        return -ENOSPC;
    body[0] = kind;
    if (head_length > 0)
        memcpy(body + 1, head, head_length);
    if (rest_length > 0)
        memcpy(body + 1 + head_length, rest, rest_length);
    wire->out_end += frame_encode(body, length, wire->out + wire->out_end);
    return 0;
}

bool wire_has_room(const struct wire *wire)
{
    return WIRE_OUT_SIZE - (wire->out_end - wire->out_start) >= FRAME_WIRE_MAX + RESERVE;
}

bool wire_pending(const struct wire *wire)
{
    return wire->out_end > wire->out_start;
}

void wire_resync(struct wire *wire)
{
    if (room(wire) > 0)
        wire->out[wire->out_end++] = 0;
}

int wire_flush(struct wire *wire)
{
    while (wire_pending(wire)) {
        ssize_t done =
            write(wire->fd, wire->out + wire->out_start, wire->out_end - wire->out_start);

        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return errno == EAGAIN ? 0 : -errno;
        wire->out_start += (size_t)done;
    }
    wire->out_start = wire->out_end = 0;
    return 0;
}

int wire_receive(struct wire *wire, wire_handler handler, void *context)
{
    uint8_t in[32768];
    ssize_t got = read(wire->fd, in, sizeof(in));
    size_t used = 0;

    if (got < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -errno;
    if (got == 0)
        return -EPIPE;
    while (used < (size_t)got) {
        bool complete;
        int code;

        used += frame_decode(&wire->decoder, in + used, (size_t)got - used, &complete);
        if (!complete)
            continue;
        code = handler(context, wire->decoder.body[0], wire->decoder.body + 1,
                       wire->decoder.length - 1);
        if (code < 0)
            return code;
    }
    return 0;
}
