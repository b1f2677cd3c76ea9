/*
 * Takes a snapshot of a paused guest, in a separate thread: to write its memory may take long, and
 * the main thread must not wait. The client has made the folder and its files; at the end it
 * renames the folder to its name, or removes it. The guest is unchanged in either case.
 */
#ifndef SNAPSHOT_SAVE_H
#define SNAPSHOT_SAVE_H

#include "host/files/folder.h"
#include "snapshot/track.h"
#include "vm/vm.h"

struct snapshot_save {
    struct vm *vm;
    struct pause_holder *holder;  /* holds the VM, which is quiet */
    struct folder folder;         /* the thread's, while it runs */
    struct snapshot_track *track; /* the guest's; the same */
    bool diff;                    /* only what was written since the last one, if there is one */
    bool packed;
    struct thread thread;
    bool pending; /* main thread only: the thread is to be joined */
    bool stop;    /* atomic: give up */
    bool done;    /* atomic: `failed` and `error` are there, and the thread ends */
    bool failed;
    struct error error;
    /* The result. */
    char base[FOLDER_PATH_MAX]; /* its base; "": none */
    uint32_t base_sum, sum;     /* of machine.json: the base's, its own */
    uint64_t pages;             /* of memory that it has then */
};

/* The names of the files to be passed; those of disks that a guest does not have stay unused. */
void snapshot_files(struct folder_files *files);

/* Whether such a guest can be saved at all. */
int snapshot_save_check(const struct vm *vm, struct error *error) MUST_CHECK;

/* All up to `packed` is filled in. The event loop is woken when it is done. On an error
 * the files of `folder` are the caller's to close. */
int snapshot_save_begin(struct snapshot_save *save, struct error *error) MUST_CHECK;
/* 1: all is written; 0: the thread still works; -1: `error` says why the snapshot failed. In the
 * first and last case the files of `folder` are closed. */
int snapshot_save_take(struct snapshot_save *save, struct error *error) MUST_CHECK;
/* Gives up. False: the thread still uses the VM, and nothing of it may be freed; call this again
 * when the thread has woken the event loop. */
bool snapshot_save_end(struct snapshot_save *save) MUST_CHECK;

#endif
