/*
 * Guest-physical memory: a list of slots, and the one checked way to them.
 *
 * A slot is a range of guest-physical addresses with its backing in this process. Devices reach
 * guest memory by memory_read and memory_write, which copy, and by memory_iovec, for what is to go
 * to a file or socket without a copy. Each answers only for a range that is RAM as a whole. What
 * the guest may change meanwhile is read once: check and use the copy. memory_at, the raw pointer,
 * is for loaders, which run before the guest, and for explain, which only looks.
 *
 * Threads: slots are made before the first vCPU runs and changed only while the VM is paused and
 * its devices are quiet. All that takes a `const struct memory *` may be called from any thread at
 * any time between; memory_set_logged and memory_take_written too, by one thread at a time.
 */
#ifndef MEMORY_H
#define MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/address.h"
#include "base/error.h"

/* Where the hole for devices begins and ends when RAM does not fit below it. */
#define MEMORY_HOLE_START (UINT64_C(0xc0000000))
#define MEMORY_HOLE_END   (UINT64_C(0x100000000))

/* Where a slot's bytes come from: host/ram.h maps them. */
enum memory_backing {
    MEMORY_ANONYMOUS, /* zeroes, private to this process; fork(2) copies them */
    MEMORY_SHARED,    /* zeroes in a memfd, which another process can map as well */
    MEMORY_FILE,      /* a file's bytes; what is written stays in this process */
};

struct memory_slot {
    gpa_t base;
    uint64_t size; /* a multiple of the page size where KVM gets it */
    uint8_t *host; /* where it begins in this process; NULL: not mapped yet */
    enum memory_backing backing;
    int fd;            /* of MEMORY_SHARED and MEMORY_FILE; owned by the slot */
    uint64_t offset;   /* where its bytes begin in `fd` */
    bool read_only;    /* the guest's writes, and those of its devices, are refused */
    bool logged;       /* pages written are recorded; atomic */
    uint64_t *written; /* those that this process wrote, a bit a page; atomic; NULL: never logged */
};

enum { MEMORY_SLOTS_MAX = 8 };

struct memory {
    struct memory_slot slots[MEMORY_SLOTS_MAX]; /* the RAM at the lowest addresses first */
    unsigned count;
};

/* Lays out `size` bytes of RAM from guest-physical `base` on, split around the hole where it is
 * reached. They are at `host`, one slot behind the other; NULL: nowhere yet. */
void memory_init(struct memory *memory, gpa_t base, uint64_t size, uint8_t *host);

/* The host address of [gpa, gpa + length), or NULL unless all of it is in one slot. length 0 counts
 * as 1. Writes through the pointer are not logged. */
void *memory_at(const struct memory *memory, gpa_t gpa, uint64_t length);

/* The slot that holds `gpa`, or NULL. */
const struct memory_slot *memory_slot_at(const struct memory *memory, gpa_t gpa);

/* Whether these bytes of this process are all zero, so that a save can leave the page out. */
bool memory_is_zero(const void *bytes, size_t size);

/* Whether all of it is RAM. length 0 counts as 1. */
bool memory_holds(const struct memory *memory, gpa_t gpa, uint64_t length);

/* Copies out of or into guest memory; false, and nothing copied, unless the whole range is RAM (for
 * a write: RAM that is not read-only). A write goes into the log. */
bool memory_read(const struct memory *memory, gpa_t gpa, void *to, size_t length) MUST_CHECK;
bool memory_write(const struct memory *memory, gpa_t gpa, const void *from,
                  size_t length) MUST_CHECK;

/*
 * The host ranges that hold [gpa, gpa + length), in order, for readv, writev and their like: how
 * many of `room` entries they take, 0 for length 0, or -1 if not all of it is RAM (for a `write`:
 * that is not read-only) or the entries do not suffice. A range in one slot takes one entry. The
 * guest can change the bytes at any time. Once they are written to, call memory_log_write.
 */
int memory_iovec(const struct memory *memory, gpa_t gpa, uint64_t length, bool write,
                 struct iovec *entries, unsigned room) MUST_CHECK;

/* Enters what was written through memory_iovec into the log: after it was written. */
void memory_log_write(const struct memory *memory, gpa_t gpa, uint64_t length);

/* The log of pages that this process wrote; KVM logs those that the guest wrote, and
 * host/kvm/memory.h joins both. A log has one bit for each page, in memory_log_words(slot) words.
 */
size_t memory_log_words(const struct memory_slot *slot);
/* Switches the log of a slot on or off. -1: out of memory. */
int memory_set_logged(struct memory_slot *slot, bool logged) MUST_CHECK;
/* Adds the pages that this process wrote to `log`, and forgets them. */
void memory_take_written(const struct memory_slot *slot, uint64_t *log);

/* The next run of pages that are in `log`, from page *page of the slot on, which is moved behind
 * it; false at the end. */
struct memory_run {
    gpa_t gpa;
    uint64_t size;
};
bool memory_next_run(const struct memory_slot *slot, const uint64_t *log, uint64_t *page,
                     struct memory_run *run) MUST_CHECK;

/* The bytes of all slots. */
uint64_t memory_bytes(const struct memory *memory);

/* The first address after the RAM that begins at the lowest address. */
gpa_t memory_low_end(const struct memory *memory);
/* The first address after all RAM. */
gpa_t memory_end(const struct memory *memory);

#endif
