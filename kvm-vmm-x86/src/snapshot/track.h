/*
 * The pages that a guest has written since its last snapshot, for the next one with --diff. KVM and
 * this process log pages only from the first such snapshot on.
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

/* Starts the log of a paused guest. -1: it is off. */
int snapshot_track_begin(struct snapshot_track *track, struct vm *vm,
                         struct error *error) MUST_CHECK;
/* Adds the pages written since the last call to `pages`. The guest and its devices must be
 * paused. */
int snapshot_track_look(struct snapshot_track *track, struct vm *vm,
                        struct error *error) MUST_CHECK;
/* The snapshot is written, and the guest has not run since snapshot_track_look. Until
 * snapshot_track_placed, the next snapshot includes its pages too. */
void snapshot_track_written(struct snapshot_track *track, const char *folder, uint32_t sum,
                            bool diff);
/* The snapshot with that sum has its final name: it becomes the base of the next one. False: it is
 * not the one that was written last. */
bool snapshot_track_placed(struct snapshot_track *track, const struct memory *memory, uint32_t sum);
/* Another snapshot begins: forgets one that was written and never placed. */
void snapshot_track_drop(struct snapshot_track *track);
/* The guest's memory will be freed: ends the log. */
void snapshot_track_forget(struct snapshot_track *track);

/* How many pages were written. */
uint64_t snapshot_track_count(const struct snapshot_track *track, const struct memory *memory);
/* ram.map of it: a bit for each page, slot behind slot, of snapshot_map_size bytes. */
void snapshot_track_map(const struct snapshot_track *track, const struct memory *memory,
                        uint64_t *map);

#endif
