/* One end of a line: messages out through a bounded buffer, messages in through a handler. The
 * descriptor is non-blocking; the caller polls. */
#ifndef LAB_WIRE_WIRE_H
#define LAB_WIRE_WIRE_H

#include "lab/wire/frame.h"
#include "lab/wire/message.h"

#define WIRE_OUT_SIZE (8 * FRAME_WIRE_MAX)

struct wire {
    int fd;
    struct frame_decoder decoder;
    uint8_t out[WIRE_OUT_SIZE];
    size_t out_start; /* first byte not yet written */
    size_t out_end;
};

/* Called for each message received; a negative code stops the reading and is returned to the
 * caller. */
typedef int (*wire_handler)(void *context, uint8_t kind, const uint8_t *payload, size_t length);

void wire_init(struct wire *wire, int fd);

/* Queues a message whose payload comes in two parts (either may be empty). -ENOSPC if the buffer is
 * full: data must ask wire_has_room() first; the rare small messages always find the room that it
 * keeps for them. */
__attribute__((warn_unused_result)) int wire_send(struct wire *wire, uint8_t kind, const void *head,
                                                  size_t head_length, const void *rest,
                                                  size_t rest_length);
bool wire_has_room(const struct wire *wire);
bool wire_pending(const struct wire *wire);

/* Queues a bare zero: the other end is in step from here on, whatever this line carried before. */
void wire_resync(struct wire *wire);

/* Writes what the descriptor takes now. 0, or a negative errno. */
__attribute__((warn_unused_result)) int wire_flush(struct wire *wire);

/* Reads once and hands each complete message to the handler. -EPIPE at the end of the stream. */
__attribute__((warn_unused_result)) int wire_receive(struct wire *wire, wire_handler handler,
                                                     void *context);

#endif
