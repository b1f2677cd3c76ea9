/*
 * The log: the changes of several file system calls form one transaction, which reaches the disk
 * whole or not at all. The format, and why one flush for each transaction is enough:
 * abi/hleos_fs.h.
 *
 * A call changes blocks between log_begin() and log_end(). A transaction grows until log_sync() is
 * called, or the next call may not fit. Then no call begins until those in progress have ended and
 * the transaction is written; all threads that wait share it.
 *
 * Order of locks: names (fs.c) -> log_begin() -> an inode's -> alloc -> a buffer's -> cache. The
 * log's own mutex is held for a few instructions, never while the disk works.
 *
 *
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
    unsigned calls;     /* mutex: calls in progress */
    bool wanted;        /* mutex: no call begins until the transaction is written */
    bool committing;    /* mutex: one thread writes it */
    uint64_t sequence;  /* mutex: the number of the transaction that grows */
    uint64_t committed; /* mutex: the last that is on the disk */
    int error;          /* mutex to set; 0, or the error after which nothing is written */
    uint64_t written;   /* mutex: blocks, in all */
    unsigned count;     /* mutex; of blocks[] */
    struct buffer *blocks[HLEOS_FS_LOG_MAX - 1];
    struct hleos_fs_log *header; /* the committing thread's */
};

/* Replays the log's areas. `*why` is a text if it fails. */
int log_init(struct log *log, struct cache *cache, const struct hleos_fs_super *super,
             const char **why);
void log_destroy(struct log *log);

/* 0, or FS_READ_ONLY; then do not call log_end(). */
int log_begin(struct log *log) __attribute__((warn_unused_result));
/* `result`: that of the call. After FS_DISK or FS_CORRUPT the call may be half done, so nothing is
 * written from then on. Returns `result`. */
int log_end(struct log *log, int result);

/* The held buffer was changed: it joins the transaction, and stays in memory until it is written to
 * its place. */
void log_write(struct log *log, struct buffer *buffer);

/* When this returns 0, all changes made so far are on the disk. */
int log_sync(struct log *log) __attribute__((warn_unused_result));

int log_error(struct log *log);

#endif
