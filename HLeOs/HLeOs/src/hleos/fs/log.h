/*
 * The log: what several calls of the file system change becomes one transaction, which is on the
 * disk whole or not at all. How it lies there, and why one flush is enough for each: abi/
 * hleos_fs.h.
 *
 * A call changes blocks between log_begin() and log_end(). Transactions grow until somebody asks
 * for one to be on the disk (log_sync), or the next call may not fit. Then no call begins until
 * those under way have ended and all is written: all who wait share one transaction.
 *
 * Order of locks: names (fs.c) -> log_begin() -> an inode's -> alloc -> a buffer's -> cache. The
 * log's own mutex is held for a few instructions, never while the disk works.
 */
#ifndef HLEOS_FS_LOG_H
#define HLEOS_FS_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/hleos_fs.h"
#include "thread/sync.h"

struct buffer;
struct cache;

enum { LOG_CALL_BLOCKS = 40 }; /* that one call may change: a write of 16 blocks changes 37 */

struct log {
    struct cache *cache;
    const struct hleos_fs_super *super;
    struct sync_mutex mutex;
    struct sync_condition changed;
    unsigned calls;     /* mutex: under way */
    bool wanted;        /* mutex: no call begins until the transaction is written */
    bool committing;    /* mutex: one thread writes it */
    uint64_t sequence;  /* mutex: the number of the transaction that grows */
    uint64_t committed; /* mutex: the last that is on the disk */
    int error;          /* mutex to set; 0, or why nothing is written any more */
    uint64_t written;   /* mutex: blocks, in all */
    unsigned count;     /* mutex; of blocks[] */
    struct buffer *blocks[HLEOS_FS_LOG_MAX - 1];
    struct hleos_fs_log *header; /* the committing thread's */
};

/* Copies home what the areas hold. `why` gets a text if it fails. */
int log_init(struct log *log, struct cache *cache, const struct hleos_fs_super *super,
             const char **why);
void log_destroy(struct log *log);

/* 0, or FS_READ_ONLY; then there is no log_end(). */
int log_begin(struct log *log) __attribute__((warn_unused_result));
/* `result` is the call's. One that failed because of the disk, or of what was found on it, may have
 * changed half: nothing is written any more. Returns `result`. */
int log_end(struct log *log, int result);

/* The held buffer was changed; it stays in memory until it is at home. */
void log_write(struct log *log, struct buffer *buffer);

/* What was changed so far is on the disk when this returns 0. */
int log_sync(struct log *log) __attribute__((warn_unused_result));

int log_error(struct log *log);

#endif
