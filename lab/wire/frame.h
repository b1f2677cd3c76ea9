/* Frames on a byte stream that may break off anywhere: consistent-overhead byte stuffing (S.
 * Cheshire and M. Baker, "Consistent Overhead Byte Stuffing", IEEE/ACM Transactions on Networking
 * 7(2), 1999).
 *
 * A frame's body never contains a zero byte on the wire, and one zero byte ends each frame. A
 * client that dies in the middle of a frame leaves its rest in the line; the next client starts
 * with a zero and is in step again, whatever came before. That is why the lab does not use frames
 * with a length in front. */
#ifndef LAB_WIRE_FRAME_H
#define LAB_WIRE_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The longest body, and what it takes on the wire: a code byte per 254 bytes, one more, and the
 * zero. */
#define FRAME_BODY_MAX 16384
#define FRAME_WIRE_MAX (FRAME_BODY_MAX + FRAME_BODY_MAX / 254 + 2)

/* Writes `length` <= FRAME_BODY_MAX bytes as a frame to `wire` (room for FRAME_WIRE_MAX); returns
 * the bytes written. */
size_t frame_encode(const uint8_t *body, size_t length, uint8_t *wire);

struct frame_decoder {
    uint8_t body[FRAME_BODY_MAX];
    size_t length; /* of the body so far; of the whole body when a frame is complete */
    uint8_t left;  /* bytes until the next code byte */
    bool zero;     /* a zero belongs in front of the next block, if there is one */
    bool broken;   /* too long or cut short: skip to the next zero */
    bool fresh;    /* the last call completed a frame: the next one starts a new frame */
};

/* Takes bytes until a frame is complete or the input ends; returns how many were taken. *complete
 * tells which. Broken and empty frames are passed over in silence. */
size_t frame_decode(struct frame_decoder *decoder, const uint8_t *wire, size_t length,
                    bool *complete);

#endif
