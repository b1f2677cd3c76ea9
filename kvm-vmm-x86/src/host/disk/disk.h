/*
 * A disk for a guest: a raw file or block device of the host, read and written without waiting
 * (aio.h). With an overlay what is written goes to a temporary file without a name, which ends with
 * the program, and the file itself is only read.
 *
 * The file is locked (fcntl(2), F_OFD_SETLK) against other disks of ours, in this process and
 * others: one may write it, or several may read it.
 *
 * Or an export of an NBD server (nbd.c), without a lock and without an overlay.
 *
 * A struct disk is also what unit tests and fuzzers put in the place of a real one.
 *
 */
#ifndef HOST_DISK_DISK_H
#define HOST_DISK_DISK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/config.h"
#include "base/error.h"
#include "host/disk/aio.h"

/* DISK_REQUESTS_MAX: how many requests of a disk are in flight at most. */
enum { DISK_SECTOR = 512, DISK_ID_MAX = 20, DISK_REQUESTS_MAX = 256, DISK_TROUBLE_MAX = 128 };

#define DISK_NBD "nbd:" /* the name of an export begins with this */

enum disk_order {
    DISK_READ,
    DISK_WRITE,
    DISK_FLUSH,   /* what was written before is on the medium */
    DISK_DISCARD, /* the range is not needed any more */
    DISK_ZERO,    /* the range reads as zeroes; its room on the host stays */
    DISK_UNMAP    /* the same, and its room may go */
};

/* Owned by its user; it and its pieces must stay in place until `done` was called. */
struct disk_request {
    enum disk_order order;
    uint64_t offset, size;       /* bytes, multiples of sectors within the disk */
    struct virtio_piece *pieces; /* of reads and writes; changed meanwhile */
    unsigned count;
    void (*done)(struct disk_request *request,
                 int code); /* 0 or -errno; from `submit`, `collect` */
    struct disk *disk;      /* the disk's, as what follows */
    struct aio_job job;
    uint64_t begin, end;
    struct virtio_piece zeroes;
    size_t cut; /* bytes taken off the last piece that is under way */
    bool in_overlay;
};

struct disk;
struct disk_ops {
    void (*submit)(struct disk *disk, struct disk_request *request);
    void (*flush)(struct disk *disk);   /* what was submitted begins */
    void (*collect)(struct disk *disk); /* calls `done` of what is done */
    bool (*close)(struct disk *disk);   /* false: it has requests, and is left as it is */
};

struct disk {
    const struct disk_ops *ops;
    uint64_t size;       /* bytes, a multiple of sectors */
    uint32_t block_size; /* the smallest unit that the guest is to use */
    bool read_only;
    int fd; /* becomes readable when there is something to collect; -1: never */
    char id[DISK_ID_MAX + 1];
    char trouble[DISK_TROUBLE_MAX]; /* for the user: why the disk failed; empty: it works */
};

/* Opens disk number `index`. NULL: `error` says what is wrong. */
struct disk *disk_open(const struct disk_config *config, unsigned index,
                       struct error *error) MUST_CHECK;
/* For disk_open. */
struct disk *disk_open_nbd(const struct disk_config *config, struct error *error) MUST_CHECK;
/* The overlay of a disk, while no request is in flight; false: it has none. */
struct disk_overlay {
    int fd;
    uint64_t size;   /* bytes of `fd` */
    uint8_t *map;    /* a bit for each sector: it is in the overlay */
    size_t map_size; /* bytes */
};
bool disk_overlay(struct disk *disk, struct disk_overlay *overlay) MUST_CHECK;
/* When its file was last written to, in nanoseconds since 1970; 0: not known. */
uint64_t disk_changed(const struct disk *disk);

/* A checksum of samples of its file. It detects another disk of the same size, and a changed block
 * device, which has no time of change. Fails for an NBD disk, whose contents may change at any
 * time. */
int disk_sample(const struct disk *disk, uint32_t *sum, struct error *error) MUST_CHECK;

/* The descriptor of its file; and the folder of all overlays. */
int disk_file(const struct disk *disk);
const char *disk_overlay_folder(void);
/* For a forked process. disk_leave releases what a disk shares with the parent, its ring or
 * threads; after that it can only be the `origin` of disk_begin_with, which copies its overlay to
 * `disk`, which was just opened. */
int disk_begin_with(struct disk *disk, const struct disk *origin, struct error *error) MUST_CHECK;
void disk_leave(struct disk *disk);

/* Closes the disk; one with requests in flight is left as it is. */
void disk_close(struct disk *disk);

#endif
