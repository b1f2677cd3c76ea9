/* A disk in memory that finishes its requests when it is told to, for tests of who uses one. */
#ifndef TEST_FAKE_DISK_H
#define TEST_FAKE_DISK_H

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/disk/disk.h"

enum { FAKE_DISK_SIZE = 64 * 1024, FAKE_DISK_HELD = 256 };

struct fake_disk {
    struct disk disk;
    uint8_t bytes[FAKE_DISK_SIZE];
    struct disk_request *held[FAKE_DISK_HELD]; /* begun and not finished */
    unsigned count;
    bool slow; /* nothing is finished before fake_disk_finish */
    int code;  /* of the next that is finished */
    unsigned flushed;
};

static inline int fake_disk_carry_out(struct fake_disk *d, struct disk_request *r)
{
    uint64_t at = r->offset;

    if (r->offset > d->disk.size || r->size > d->disk.size - r->offset)
        abort(); /* the device has to have checked that */
    if (r->order == DISK_FLUSH)
        d->flushed++;
    if (r->order >= DISK_DISCARD)
        memset(d->bytes + at, 0, r->size);
    if (r->order > DISK_WRITE)
        return 0;
    for (unsigned i = 0; i < r->count; i++) {
        if (r->order == DISK_READ)
            memcpy(r->pieces[i].at, d->bytes + at, r->pieces[i].size);
        else
            memcpy(d->bytes + at, r->pieces[i].at, r->pieces[i].size);
        at += r->pieces[i].size;
    }
    if (at != r->offset + r->size)
        abort();
    return 0;
}

static inline void fake_disk_finish(struct fake_disk *d)
{
    unsigned count = d->count;
    struct disk_request *held[FAKE_DISK_HELD];

    memcpy(held, d->held, count * sizeof held[0]);
    d->count = 0;
    for (unsigned i = 0; i < count; i++)
        held[i]->done(held[i], d->code != 0 ? d->code : fake_disk_carry_out(d, held[i]));
}

static inline void fake_disk_submit(struct disk *disk, struct disk_request *r)
{
    struct fake_disk *d = (struct fake_disk *)disk;

    if (d->count == FAKE_DISK_HELD)
        abort();
    d->held[d->count++] = r;
}

static inline void fake_disk_flush(struct disk *disk)
{
    (void)disk;
}

static inline void fake_disk_collect(struct disk *disk)
{
    if (!((struct fake_disk *)disk)->slow)
        fake_disk_finish((struct fake_disk *)disk);
}

static const struct disk_ops fake_disk_ops = {
    .submit = fake_disk_submit, .flush = fake_disk_flush, .collect = fake_disk_collect};

static inline void fake_disk_init(struct fake_disk *d)
{
    *d = (struct fake_disk){.disk = {.ops = &fake_disk_ops,
                                     .size = FAKE_DISK_SIZE,
                                     .block_size = DISK_SECTOR,
                                     .fd = -1,
                                     .id = "fake"}};
}

#endif
