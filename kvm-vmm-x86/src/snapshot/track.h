/*
 * What a guest has written since its last snapshot, for the next one with --diff. From the first
 * such snapshot on KVM and this process log the pages; until then it costs nothing.
 */
#ifndef SNAPSHOT_TRACK_H
#define SNAPSHOT_TRACK_H

#include "snapshot/restore.h"
#include "vm/vm.h"

/* One for each guest. Begins as zeroes. */
struct snapshot_track {
    bool on;
    char last[FOLDER_PATH_MAX];        /* the last snapshot since it is on; "": none */
    uint32_t sum;                      /* of its machine.json */
    unsigned layers;                   /* folders that it consists of */
    uint64_t *pages[MEMORY_SLOTS_MAX]; /* written since, a bit each; malloc. NULL: read-only */
};

/* Of a guest that stands still. -1: it is off. */
int snapshot_track_begin(struct snapshot_track *track, struct vm *vm,
                         struct error *error) MUST_CHECK;
/* Adds what was written since the last call to `pages`: a guest that stands still, and whose
 * devices do. */
int snapshot_track_look(struct snapshot_track *track, struct vm *vm,
                        struct error *error) MUST_CHECK;
/* That snapshot is written. */
void snapshot_track_done(struct snapshot_track *track, const struct memory *memory,
                         const char *folder, uint32_t sum, bool diff);
/* The guest's memory goes. */
void snapshot_track_forget(struct snapshot_track *track);

/* How many pages were written. */
uint64_t snapshot_track_count(const struct snapshot_track *track, const struct memory *memory);
/* ram.map of it: a bit for each page, slot behind slot, of snapshot_map_size bytes. */
void snapshot_track_map(const struct snapshot_track *track, const struct memory *memory,
                        uint64_t *map);

#endif
