/*
 * Opens a snapshot: reads and checks its folder, and makes a configuration for vm_create. RAM is
 * not read here: it is mapped, and read when the guest accesses it.
 */
#ifndef SNAPSHOT_RESTORE_H
#define SNAPSHOT_RESTORE_H

#include "host/files/folder.h"
#include "snapshot/machine.h"

/* The most folders that a snapshot can consist of; each but the first is a --diff of another. */
enum { SNAPSHOT_LAYERS_MAX = 64 };

/* A folder that has a part of the RAM. */
struct snapshot_layer {
    char folder[FOLDER_PATH_MAX], ram[FOLDER_PATH_MAX];
    struct snapshot_file sum; /* of `ram` */
    uint64_t *pages;          /* malloc; NULL: all */
    bool packed;
};

/* A snapshot that was read. Owned by the caller, who must not move it and keeps it as long as a
 * guest made from it. */
struct snapshot_folder {
    struct snapshot_machine machine;
    struct saved_guest saved;
    char folder[FOLDER_PATH_MAX];
    struct snapshot_layer *below; /* malloc: the lowest first, its own last */
    struct saved_layer *layers;   /* malloc: the same for ram_map_saved */
    unsigned layer_count;
    char *text;                /* machine.json; malloc */
    uint8_t *state, *firmware; /* malloc */
};

/* Reads machine.json and state of the folder at `path`, checks their sums, and finds its base
 * folders. -1: nothing has to be closed. */
int snapshot_open(struct snapshot_folder *snapshot, const char *path,
                  struct error *error) MUST_CHECK;
/* Whether `sum`, which was computed of FOLDER/NAME, is the one that `file` says. */
int snapshot_same_sum(const char *folder, const char *name, const struct snapshot_file *file,
                      uint32_t sum, struct error *error) MUST_CHECK;
/* Whether `folder` has a snapshot whose machine.json has that sum. */
int snapshot_check_base(const char *folder, uint32_t sum, struct error *error) MUST_CHECK;
void snapshot_close(struct snapshot_folder *snapshot);

/* Sets `config` to the saved machine. Settings of the run (serial port, limits, display) stay, and
 * so do the targets that `config` gives for ports, network cards and shared folders. */
int snapshot_configure(struct snapshot_folder *snapshot, struct guest_config *config,
                       struct error *error) MUST_CHECK;

/* Checks that each disk of `config`, which is open, is unchanged, and fills its overlay. */
int snapshot_restore_disks(const struct snapshot_folder *snapshot,
                           const struct guest_config *config, struct error *error) MUST_CHECK;
/* Restores what the guest had open in its shared folders, which are open. `lost`: for each folder,
 * how many open files are gone. */
int snapshot_restore_shares(const struct snapshot_folder *snapshot,
                            const struct guest_config *config, unsigned lost[SHARES_MAX],
                            struct error *error) MUST_CHECK;

#endif
