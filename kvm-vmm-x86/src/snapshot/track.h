/*
 * What a guest has written since its last snapshot, for the next one with --diff. From the first
 * such snapshot on KVM and this process log the pages; until then it costs nothing.
 */
#ifndef SNAPSHOT_TRACK_H
#define SNAPSHOT_TRACK_H

#include "snapshot/restore.h"
#include "vm/vm.h"

/* A snapshot of the guest. */
struct snapshot_taken {
    char folder[FOLDER_PATH_MAX]; /* "": none */
    uint32_t sum;                 /* of its machine.json */
    unsigned layers;              /* folders that it consists of */
};

/* One for each guest. Begins as zeroes. */
struct snapshot_track {
    bool on;
    struct snapshot_taken last;    /* since it is on, of those that are in their places */
    struct snapshot_taken written; /* complete; whether its folder is in its place is not known */
    uint64_t
        *pages[MEMORY_SLOTS_MAX]; /* written since `last`, a bit each; malloc. NULL: read-only */
};

/* Of a guest that stands still. -1: it is off. */
int snapshot_track_begin(struct snapshot_track *track, struct vm *vm,
                         struct error *error) MUST_CHECK;
/* Adds what was written since the last call to `pages`: a guest that stands still, and whose
 * devices do. */
int snapshot_track_look(struct snapshot_track *track, struct vm *vm,
                        struct error *error) MUST_CHECK;
/* That snapshot is written, and the guest has not run since snapshot_track_look. Until it is
 * known to be in its place, the next snapshot has its pages too. */
void snapshot_track_written(struct snapshot_track *track, const char *folder, uint32_t sum,
                            bool diff);
/* The snapshot with that sum is in its place: the next one stands on it. False: it is not the one
 * that was written last, and is not needed. */
bool snapshot_track_placed(struct snapshot_track *track, const struct memory *memory, uint32_t sum);
/* Another snapshot begins: what is not known to be in its place by now does not count. */
void snapshot_track_drop(struct snapshot_track *track);
/* The guest's memory goes. */
void snapshot_track_forget(struct snapshot_track *track);

/* How many pages were written. */
uint64_t snapshot_track_count(const struct snapshot_track *track, const struct memory *memory);
/* ram.map of it: a bit for each page, slot behind slot, of snapshot_map_size bytes. */
void snapshot_track_map(const struct snapshot_track *track, const struct memory *memory,
                        uint64_t *map);

#endif
