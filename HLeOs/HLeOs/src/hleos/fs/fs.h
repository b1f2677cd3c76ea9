/*
 * The file system, for those that use it: names, inodes and what is done with them. Its format is
 * abi/hleos_fs.h. Everything here may sleep and takes locks: call it in a thread that holds no
 * spinlock and no lock of the file system.
 *
 * What a call changes is atomic: after a crash it is there whole or not at all (fs_write in pieces
 * of 64 KB), and changes keep their order. It is on the disk after fs_sync().
 *
 * A failing disk, or structures that contradict each other, make the file system read-only: what
 * the disk holds stays consistent.
 *
 */
#ifndef HLEOS_FS_H
#define HLEOS_FS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/hleos_fs.h"

struct disk;
struct fs;
struct inode;

enum fs_error {
    FS_NOT_FOUND = -1,
    FS_EXISTS = -2,
    FS_NOT_DIRECTORY = -3,
    FS_IS_DIRECTORY = -4,
    FS_NOT_EMPTY = -5,
    FS_NAME = -6, /* empty, too long, "." or ".." where a new name must stand */
    FS_TOO_LARGE = -7,
    FS_TOO_MANY_LINKS = -8,
    FS_NO_SPACE = -9,
    FS_NO_INODES = -10,
    FS_NO_MEMORY = -11,
    FS_INVALID = -12, /* not for this type of inode */
    FS_DISK = -13,
    FS_CORRUPT = -14,
    FS_READ_ONLY = -15,
    FS_NONE = -16, /* the disk has no HLeOs file system */
};

const char *fs_error_text(int error);

/* Mounts the file system in `sectors` sectors from `first` on: replays the log, and frees inodes
 * without a name. On an error `*why` is a text that says what is wrong. */
int fs_mount(struct disk *disk, uint64_t first, uint64_t sectors, struct fs **fs, const char **why)
    __attribute__((warn_unused_result));
/* Writes all changes and unmounts it. No inode may be held. */
void fs_unmount(struct fs *fs);

/* When this returns 0, all changes made so far, by any thread, are on the disk. */
int fs_sync(struct fs *fs) __attribute__((warn_unused_result));

struct fs_stats {
    uint32_t blocks, free_blocks, inodes;
    uint64_t transactions, log_writes; /* committed; blocks written to the log */
    uint64_t cache_hits, cache_misses;
    int error; /* 0, or why it is read-only */
};

struct fs_stats fs_stats(struct fs *fs);

/* Inodes have reference counts: each function below that returns one adds a reference; release it
 * with fs_release(). An inode without a name is freed with its last reference. */
struct inode *fs_root(struct fs *fs);
struct inode *fs_hold(struct inode *inode);
void fs_release(struct inode *inode); /* NULL is allowed */

/* Paths: names between slashes; from the root if the first byte is one, else from `from`. */
int fs_lookup(struct inode *from, const char *path, struct inode **inode)
    __attribute__((warn_unused_result));
/* A new file, directory or device; FS_EXISTS if the name is there. `inode` may be NULL. */
int fs_create(struct inode *from, const char *path, enum hleos_fs_type type, uint32_t device,
              struct inode **inode) __attribute__((warn_unused_result));
/* Adds a name for `inode`, which is not a directory. */
int fs_link(struct inode *inode, struct inode *from, const char *path)
    __attribute__((warn_unused_result));
/* Removes a name; that of a directory only if it is empty. */
int fs_unlink(struct inode *from, const char *path) __attribute__((warn_unused_result));

/* How many bytes were read or written, or an error. Fewer are read at the end of the file, fewer
 * are written when the disk is full. Writing behind the end leaves a hole of zeros. */
int64_t fs_read(struct inode *inode, uint64_t offset, void *bytes, size_t count)
    __attribute__((warn_unused_result));
int64_t fs_write(struct inode *inode, uint64_t offset, const void *bytes, size_t count)
    __attribute__((warn_unused_result));
int fs_truncate(struct inode *inode, uint64_t size) __attribute__((warn_unused_result));

struct fs_stat {
    uint32_t inode, device;
    enum hleos_fs_type type;
    unsigned links;
    uint64_t size;
};

int fs_stat(struct inode *inode, struct fs_stat *stat) __attribute__((warn_unused_result));

/* The next entry of a directory from *offset (0 at first), which is moved behind it: 1, or 0 at the
 * end. */
int fs_entry(struct inode *directory, uint64_t *offset, struct hleos_fs_entry *entry)
    __attribute__((warn_unused_result));

/* The file system that a struct inode belongs to. */
struct fs *fs_of(const struct inode *inode);

#endif
