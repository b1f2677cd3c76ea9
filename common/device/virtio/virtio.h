/*
 * The device's side of virtio: split queues and the registers of the MMIO transport (Virtual I/O
 * Device 1.2: 2.7, 4.2), for both hypervisors. What a device does with its requests is not here.
 *
 * The driver is hostile. A descriptor is copied before it is looked at, and only the copy is used.
 * A chain is bounded by its queue's size, each part of it lies in the guest's memory, and a queue's
 * registers are frozen from the moment it is ready. If the driver breaks a rule, the device sets
 * DEVICE_NEEDS_RESET, tells its owner why (once), and takes no request until it is reset.
 *
 * A request is in flight from virtio_pop to virtio_push. Once the driver has reset the device or
 * disabled the queue it may use the request's memory for something else. So virtio_mmio_write
 * returns false while such requests are in flight; call it again after each push, until it returns
 * true.
 *
 * Takes no lock: the owner calls it from one thread at a time.
 *
 *
 */
#ifndef COMMON_DEVICE_VIRTIO_VIRTIO_H
#define COMMON_DEVICE_VIRTIO_VIRTIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/virtio.h"

enum { VIRTIO_QUEUES_MAX = 16, VIRTIO_QUEUE_SIZE_MAX = 1024, VIRTIO_MMIO_SIZE = 0x1000 };
enum { VIRTIO_CONFIG_SOURCE = VIRTIO_QUEUES_MAX }; /* source of a configuration interrupt */

/* The result of an access to guest memory. */
enum virtio_result {
    VIRTIO_OK = 0,
    VIRTIO_LATER = 1, /* the page must be allocated first: repeat the call */
    VIRTIO_MORE = 2,  /* virtio_listen alone */
    VIRTIO_BAD = -1   /* the range is not guest memory */
};

/* A piece of guest memory at its address in the hypervisor, like an iovec. */
struct virtio_piece {
    void *at;
    size_t size;
};

struct virtio;

/* The owner: a machine. */
struct virtio_world {
    bool (*contains)(void *context, uint64_t address, uint64_t size);
    /* Finds the piece that begins at guest address `address`, of at most `size` bytes. Returns a
     * virtio_result; never VIRTIO_LATER for a read. The piece is valid until the current call of
     * the owner into the device returns. */
    int (*piece)(void *context, uint64_t address, uint64_t size, bool write,
                 struct virtio_piece *piece);
    /* These bytes were written, for a log of dirty pages. May be NULL. */
    void (*written)(void *context, uint64_t address, uint64_t size);
    /* Interrupts the driver for a queue or VIRTIO_CONFIG_SOURCE. Called with true for each
     * interrupt, also while the last is not acknowledged; with false once all are. */
    void (*interrupt)(void *context, unsigned source, bool raise);
    /* The driver broke a rule; `what` names it for the user. */
    void (*broken)(void *context, const char *what);
};

/* A kind of device. Each function may be NULL. */
struct virtio_ops {
    const char *name;
    uint32_t id, queues;
    /* The driver has made new requests available. */
    void (*notified)(struct virtio *dev, unsigned queue);
    /* The driver is ready (DRIVER_OK). */
    void (*started)(struct virtio *dev);
    /* The driver resets the device. Push requests in flight as soon as possible, finished or
     * not. */
    void (*reset)(struct virtio *dev);
    /* The driver wrote `width` bytes of the configuration, which has not changed yet. */
    void (*configure)(struct virtio *dev, uint32_t offset, uint64_t value, unsigned width);
};

struct virtio_queue_state {
    uint64_t descriptors, driver, device; /* descriptor table, available ring, used ring */
    uint32_t size;
    uint16_t next_available, next_used;
    uint16_t told; /* next_used when it was last decided whether to interrupt */
    uint8_t ready;
    uint8_t told_valid;
};

/* All state that a driver can change: plain data, which is saved and loaded as it is. */
struct virtio_state {
    uint64_t driver_features;
    uint32_t status, interrupt, queue_select, feature_select, driver_feature_select, generation;
    struct virtio_queue_state queue[VIRTIO_QUEUES_MAX];
};

struct virtio {
    const struct virtio_ops *ops;
    const struct virtio_world *world;
    void *context;           /* the world's */
    void *device;            /* the device's own state */
    uint64_t features;       /* offered features beside VERSION_1, INDIRECT_DESC and EVENT_IDX */
    uint32_t queue_size_max; /* a power of two */
    uint8_t *config;         /* the device's configuration, `config_size` bytes */
    uint32_t config_size;
    bool resetting; /* waits for requests in flight */
    uint32_t in_flight[VIRTIO_QUEUES_MAX];
    struct virtio_state state;
};

/* A request: one chain of descriptors, copied. */
struct virtio_part {
    uint64_t at;
    uint32_t size;
    bool writable; /* by the device; those come last */
};

struct virtio_chain {
    struct virtio_part *part; /* `room` of them, set by the device before virtio_pop */
    uint32_t room;            /* at least as many as its queues are long */
    uint32_t count;
    uint16_t queue, head;
    uint64_t readable, writable; /* bytes in all */
};

/* --- registers --- */

/* Of `width` bytes, 1 to 8. */
uint64_t virtio_mmio_read(struct virtio *dev, uint64_t offset, unsigned width);
/* False: requests are in flight that must be pushed first: call it again after each push. */
bool virtio_mmio_write(struct virtio *dev, uint64_t offset, unsigned width, uint64_t value)
    __attribute__((warn_unused_result));

/* Resets the device at once. No request may be in flight. */
void virtio_reset(struct virtio *dev);

/* The device has changed its configuration. */
void virtio_config_changed(struct virtio *dev);

/* Whether the driver has set DRIVER_OK and the device does not need a reset. */
bool virtio_is_running(const struct virtio *dev);
bool virtio_has(const struct virtio *dev, uint64_t feature);

/* The driver broke a rule of this kind of device: sets DEVICE_NEEDS_RESET and calls
 * world->broken. */
void virtio_broken(struct virtio *dev, const char *what);

/* Requests in flight, of all queues. */
uint32_t virtio_in_flight(const struct virtio *dev);

/* Loads a saved state; no request may be in flight. False if this device cannot be in that state;
 * nothing is changed then. The owner sets the interrupt line. */
bool virtio_load(struct virtio *dev, const struct virtio_state *state)
    __attribute__((warn_unused_result));

/* --- queues --- */

/* Takes the next request of a queue; false if it is empty, or the driver broke the queue. */
bool virtio_pop(struct virtio *dev, unsigned queue, struct virtio_chain *chain)
    __attribute__((warn_unused_result));
/* Undoes the last virtio_pop of the chain's queue: the next one takes the same request again. */
void virtio_unpop(struct virtio *dev, const struct virtio_chain *chain);
/* Returns a request to the driver, with `written` bytes written to it. VIRTIO_OK also if the driver
 * has reset the queue meanwhile; VIRTIO_LATER: nothing was done, repeat the call. */
int virtio_push(struct virtio *dev, const struct virtio_chain *chain, uint32_t written)
    __attribute__((warn_unused_result));
/* The same for several requests of one queue, which become visible to the driver together. */
int virtio_push_all(struct virtio *dev, const struct virtio_chain *chains, const uint32_t *written,
                    unsigned count) __attribute__((warn_unused_result));
/* Interrupts the driver if it asked for an interrupt for the requests pushed since the last
 * call. */
void virtio_notify_driver(struct virtio *dev, unsigned queue);

/* Asks the driver to notify the device of new requests from now on. VIRTIO_MORE: there is one
 * already, for which it may send no notification. Else VIRTIO_OK, or VIRTIO_LATER as above. */
int virtio_listen(struct virtio *dev, unsigned queue) __attribute__((warn_unused_result));
/* How many requests the driver has made available so far, modulo 2^16. Also asks it to notify the
 * device of the next one, even while others wait. */
uint16_t virtio_offered(struct virtio *dev, unsigned queue);
/* Tells the driver that it need not notify the device until the next virtio_listen. */
void virtio_stop_listening(struct virtio *dev, unsigned queue);

/* --- a request's memory --- */

/* Copy `size` bytes from the readable, or to the writable part of a chain, from its byte `skip` on.
 * VIRTIO_BAD if that part is shorter, or if its memory was taken from the guest after virtio_pop.
 */
int virtio_read(struct virtio *dev, const struct virtio_chain *chain, uint64_t skip, void *to,
                uint64_t size) __attribute__((warn_unused_result));
int virtio_write(struct virtio *dev, const struct virtio_chain *chain, uint64_t skip,
                 const void *from, uint64_t size) __attribute__((warn_unused_result));

/* The same bytes in place, to be moved without a copy. Fills at most `max` pieces and sets
 * `*count`; `*size` becomes the number of bytes in them, less than asked for if `max` pieces do not
 * suffice. VIRTIO_BAD as above. */
int virtio_pieces(struct virtio *dev, const struct virtio_chain *chain, bool writable,
                  uint64_t skip, uint64_t *size, struct virtio_piece *pieces, unsigned max,
                  unsigned *count) __attribute__((warn_unused_result));

#endif
