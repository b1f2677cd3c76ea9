/*
 * Opens a snapshot: what is in its folder is read, checked and made a configuration of, which
 * vm_create takes. Its RAM is not read here: it is mapped, and read as the guest reaches it.
 */
#ifndef SNAPSHOT_RESTORE_H
#define SNAPSHOT_RESTORE_H

#include "host/files/folder.h"
#include "snapshot/machine.h"

/* How many folders a snapshot consists of at most, each but the first a --diff of another. */
enum { SNAPSHOT_LAYERS_MAX = 64 };

/* A folder that has a part of the RAM. */
struct snapshot_layer {
    char folder[FOLDER_PATH_MAX], ram[FOLDER_PATH_MAX];
    struct snapshot_file sum; /* of `ram` */
    uint64_t *pages;          /* malloc; NULL: all */
    bool packed;
};

/* A snapshot that was read. Belongs to its user, at one place, as long as a guest that is made of
 * it. */
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

/* Reads machine.json and state of the folder at `path`, against their sums, and finds the folders
 * that it stands on. -1: nothing is left. */
int snapshot_open(struct snapshot_folder *snapshot, const char *path,
                  struct error *error) MUST_CHECK;
/* Whether `sum`, which was computed of FOLDER/NAME, is the one that `file` says. */
int snapshot_same_sum(const char *folder, const char *name, const struct snapshot_file *file,
                      uint32_t sum, struct error *error) MUST_CHECK;
/* Whether `folder` has a snapshot whose machine.json has that sum. */
int snapshot_check_base(const char *folder, uint32_t sum, struct error *error) MUST_CHECK;
void snapshot_close(struct snapshot_folder *snapshot);

/* Makes `config` the saved machine; what belongs to the run alone (serial port, limits, display)
 * stays as it is, and where ports, cards and shared folders lead if it says so. */
int snapshot_configure(struct snapshot_folder *snapshot, struct guest_config *config,
                       struct error *error) MUST_CHECK;

/* The disks of `config` are open: checks that each is what it was, and fills its overlay. */
int snapshot_restore_disks(const struct snapshot_folder *snapshot,
                           const struct guest_config *config, struct error *error) MUST_CHECK;
/* Its folders are shared: the guest finds what it had open there. `lost`, of each, is how many
 * files it has not any more. */
int snapshot_restore_shares(const struct snapshot_folder *snapshot,
                            const struct guest_config *config, unsigned lost[SHARES_MAX],
                            struct error *error) MUST_CHECK;

#endif
