/*
 * The device's side of virtio: split queues and the registers of the MMIO transport (Virtual I/O
 * Device 1.2: 2.7, 4.2), for both hypervisors. What a device does with its requests is not here.
 *
 * The driver is hostile. A descriptor is copied before it is looked at, and only the copy is used.
 * A chain is bounded by its queue's size, each part of it lies in the guest's memory, and a queue's
 * registers are frozen from the moment it is ready. What a driver breaks sets NEEDS_RESET: the
 * device takes no request any more until it is reset, and its owner is told why, once.
 *
 * A request that was taken is in flight until it is pushed back. A reset, or a driver that takes a
 * queue away, must not leave the device writing into memory that is used for something else by
 * then: virtio_mmio_write answers false until all that are concerned came back, and is to be called
 * again then.
 *
 * Takes no lock: the owner calls it from one thread at a time.
 */
#ifndef COMMON_DEVICE_VIRTIO_VIRTIO_H
#define COMMON_DEVICE_VIRTIO_VIRTIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/virtio.h"

enum { VIRTIO_QUEUES_MAX = 16, VIRTIO_QUEUE_SIZE_MAX = 1024, VIRTIO_MMIO_SIZE = 0x1000 };
enum { VIRTIO_CONFIG_SOURCE = VIRTIO_QUEUES_MAX }; /* of an interrupt: no queue */

/* What became of an access to the guest's memory. */
enum virtio_result {
    VIRTIO_OK = 0,
    VIRTIO_LATER = 1, /* there is memory, but it has to be backed first: to be done once more */
    VIRTIO_MORE = 2,  /* virtio_listen alone */
    VIRTIO_BAD = -1   /* it is not the guest's */
};

/* A piece of the guest's memory in the hypervisor's. Like an iovec. */
struct virtio_piece {
    void *at;
    size_t size;
};

struct virtio;

/* The owner: a machine. */
struct virtio_world {
    bool (*contains)(void *context, uint64_t address, uint64_t size);
    /* Where `address` is, and how many bytes from there on, `size` at most, are in one piece. Of
     * reads never VIRTIO_LATER. A piece is good until the call into this module's user returns. */
    int (*piece)(void *context, uint64_t address, uint64_t size, bool write,
                 struct virtio_piece *piece);
    /* These bytes have been written: for who keeps a log of it. May be NULL. */
    void (*written)(void *context, uint64_t address, uint64_t size);
    /* The driver is to be interrupted, by a queue or VIRTIO_CONFIG_SOURCE: called with true for
     * each interrupt, also while the last is not yet acknowledged; with false when all are. */
    void (*interrupt)(void *context, unsigned source, bool raise);
    /* The driver broke something; `what` is for the user. */
    void (*broken)(void *context, const char *what);
};

/* A kind of device. All may be NULL but the name. */
struct virtio_ops {
    const char *name;
    uint32_t id, queues;
    /* The driver has made new requests available. */
    void (*notified)(struct virtio *dev, unsigned queue);
    /* The driver is ready (DRIVER_OK). */
    void (*started)(struct virtio *dev);
    /* As after power-on. Requests in flight come back as soon as can be, if need be undone. */
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

/* All that a driver can have changed: plain data, which is what is saved of it. */
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
    uint64_t features;       /* what it offers beside VERSION_1, INDIRECT_DESC and EVENT_IDX */
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
/* False: requests are in flight that the driver wants back; again when one came back. */
bool virtio_mmio_write(struct virtio *dev, uint64_t offset, unsigned width, uint64_t value)
    __attribute__((warn_unused_result));

/* As after power-on, at once: no request may be in flight. */
void virtio_reset(struct virtio *dev);

/* The device has changed its configuration. */
void virtio_config_changed(struct virtio *dev);

/* Whether the driver runs it, and has broken nothing. */
bool virtio_is_running(const struct virtio *dev);
bool virtio_has(const struct virtio *dev, uint64_t feature);

/* The driver broke a rule of the device's own. */
void virtio_broken(struct virtio *dev, const char *what);

/* Requests in flight, of all queues. */
uint32_t virtio_in_flight(const struct virtio *dev);

/* Puts a saved state in place; no request is in flight. False, and nothing changed, if this device
 * cannot be in it. The interrupt line is the owner's. */
bool virtio_load(struct virtio *dev, const struct virtio_state *state)
    __attribute__((warn_unused_result));

/* --- queues --- */

/* Takes the next request of a queue; false if it is empty, or the driver broke the queue. */
bool virtio_pop(struct virtio *dev, unsigned queue, struct virtio_chain *chain)
    __attribute__((warn_unused_result));
/* Gives the request back that was taken last from its queue, as if it had not been. */
void virtio_unpop(struct virtio *dev, const struct virtio_chain *chain);
/* Gives a request back to the driver, with `written` bytes written. VIRTIO_OK also where the driver
 * does not want it any more; VIRTIO_LATER: nothing has happened yet. */
int virtio_push(struct virtio *dev, const struct virtio_chain *chain, uint32_t written)
    __attribute__((warn_unused_result));
/* The same for several of one queue, which the driver sees all at once. */
int virtio_push_all(struct virtio *dev, const struct virtio_chain *chains, const uint32_t *written,
                    unsigned count) __attribute__((warn_unused_result));
/* Interrupts the driver if it wants to hear of what was pushed since the last call. */
void virtio_notify_driver(struct virtio *dev, unsigned queue);

/* From now on the driver is to notify the device of new requests. VIRTIO_MORE: there is one
 * already, of which it may tell nothing. Else VIRTIO_OK, or VIRTIO_LATER as above. */
int virtio_listen(struct virtio *dev, unsigned queue) __attribute__((warn_unused_result));
/* How many requests the driver has offered so far, modulo 2^16. Of the next one it is to notify the
 * device, whether or not others wait to be taken. */
uint16_t virtio_offered(struct virtio *dev, unsigned queue);
/* It need not, until the next virtio_listen. */
void virtio_stop_listening(struct virtio *dev, unsigned queue);

/* --- a request's memory --- */

/* Copies from the readable or to the writable part of a chain, `skip` bytes into it; VIRTIO_BAD
 * where that is shorter. Memory that was the guest's when the request was taken may not be any
 * more. */
int virtio_read(struct virtio *dev, const struct virtio_chain *chain, uint64_t skip, void *to,
                uint64_t size) __attribute__((warn_unused_result));
int virtio_write(struct virtio *dev, const struct virtio_chain *chain, uint64_t skip,
                 const void *from, uint64_t size) __attribute__((warn_unused_result));

/* The same bytes where they are, for what is to move them without a copy: fills at most `max`
 * pieces and says how many bytes they hold in
 * `*size`, which is less than asked for if there are more pieces. VIRTIO_BAD as above. */
int virtio_pieces(struct virtio *dev, const struct virtio_chain *chain, bool writable,
                  uint64_t skip, uint64_t *size, struct virtio_piece *pieces, unsigned max,
                  unsigned *count) __attribute__((warn_unused_result));

#endif
