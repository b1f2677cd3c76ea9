/*
 * A channel between a port of the guest's virtio console and the host's side of it: two bounded
 * rings of bytes, and whether each side has its end open. It is owned by the maker of the guest and
 * outlives the guest: a guest that starts again finds the bytes that were not taken.
 *
 * Nothing here waits. Bytes that do not fit stay with the writer, which is called when there is
 * room. Bytes come before the end: a reader sees a closed end when it has taken all that was
 * written before.
 *
 *
 */
#ifndef DEV_VIRTIO_CHANNEL_H
#define DEV_VIRTIO_CHANNEL_H

#include <stddef.h>
#include <stdint.h>

#include "base/config.h"
#include "host/threads.h"

/* In a channel that keeps bytes, the room above CHANNEL_KEPT is for one byte of each vCPU, written
 * before the vCPU sees that the channel is full. */
enum { CHANNEL_SIZE = 64 * 1024, CHANNEL_KEPT = CHANNEL_SIZE - CPUS_MAX };
enum { CHANNEL_NAME_MAX = 32, CHANNELS_MAX = 7 };

struct channel_ring {
    size_t head, used;
    bool wanted; /* its writer waits for room */
    uint8_t bytes[CHANNEL_SIZE];
};

/* Set by the maker: the name, whether it is a console (hvcN), and what is called. */
struct channel {
    char name[CHANNEL_NAME_MAX]; /* as the guest sees it; "": it has none */
    bool console;
    /* Calls the host's side after a change; from the device's thread, or from a vCPU that resets
     * the device. */
    void (*news)(void *context);
    /* Calls the device after a change: makes `fd` of its channels readable. */
    void (*wake)(void *context);
    /* With the lock held: from_guest.wanted has become so. Or NULL. */
    void (*full)(void *context, bool full);
    void *context;
    bool keeps;       /* while the host's end is closed, the newest bytes are kept */
    struct lock lock; /* protects what follows */
    struct channel_ring to_guest, from_guest;
    bool host_open, guest_open;
    bool resized; /* the device has not seen the new size */
    uint16_t rows, columns;
};

/* All of a guest. `fd` becomes readable when one of them calls `wake`. */
struct channels {
    struct channel *at[CHANNELS_MAX];
    unsigned count;
    int fd;
};

void channel_init(struct channel *channel);

/* --- the host's side --- */

/* How many bytes were written, or read. */
size_t channel_write(struct channel *channel, const void *bytes, size_t count);
size_t channel_read(struct channel *channel, void *bytes, size_t room);
/* The bytes that channel_read would return, in place, for a reader that may take only some of them;
 * then call channel_drop. Only one thread may read. */
const uint8_t *channel_peek(struct channel *channel, size_t *count);
void channel_drop(struct channel *channel, size_t count);
/* Opens or closes the host's end. While it is closed what the guest writes is dropped, and what was
 * not read yet is lost, unless the channel keeps. */
void channel_set_open(struct channel *channel, bool open);
void channel_resize(struct channel *channel, unsigned rows, unsigned columns);
/* How many bytes can be written now. The writer hears of more. */
size_t channel_room(struct channel *channel);
/* Whether the guest has its end open, or has written bytes that are not read yet. */
bool channel_is_open(struct channel *channel);

/* --- the device's --- */

/* How many bytes of `size` were put there for the host; all of them are dropped where it has closed
 * its end. */
size_t channel_put(struct channel *channel, const void *bytes, size_t size);
size_t channel_take(struct channel *channel, void *bytes, size_t room);
/* For a channel that keeps bytes, and a writer that stops when `full` is called. */
void channel_putchar(struct channel *channel, uint8_t byte);
/* What the guest is to be told: whether the host's end is open, or how many bytes still wait. */
bool channel_host_is_open(struct channel *channel);
size_t channel_pending(struct channel *channel);
void channel_set_guest_open(struct channel *channel, bool open);
/* The new size, once. */
bool channel_take_size(struct channel *channel, uint16_t *rows, uint16_t *columns);

#endif
