/*
 * Opens a snapshot: what is in its folder is read, checked and made a configuration of, which
 * vm_create takes. Its RAM is not read here: it is mapped, and read as the guest reaches it.
 */
#ifndef SNAPSHOT_RESTORE_H
#define SNAPSHOT_RESTORE_H

#include "snapshot/machine.h"

/* A snapshot that was read. Belongs to its user, at one place, as long as a guest that is made of
 * it. */
struct snapshot_folder {
    struct snapshot_machine machine;
    struct saved_guest saved;
    char folder[1024], ram[1024];
    char *text;                /* machine.json; malloc */
    uint8_t *state, *firmware; /* malloc */
};

/* Reads machine.json and state of the folder at `path`, against their sums. -1: nothing is left. */
int snapshot_open(struct snapshot_folder *snapshot, const char *path,
                  struct error *error) MUST_CHECK;
void snapshot_close(struct snapshot_folder *snapshot);

/* Makes `config` the saved machine; what belongs to the run alone (serial port, limits, display)
 * stays as it is, and where ports and cards lead if it says so. */
int snapshot_configure(struct snapshot_folder *snapshot, struct guest_config *config,
                       struct error *error) MUST_CHECK;

/* The disks of `config` are open: checks that each is what it was, and fills its overlay. */
int snapshot_restore_disks(const struct snapshot_folder *snapshot,
                           const struct guest_config *config, struct error *error) MUST_CHECK;

#endif
