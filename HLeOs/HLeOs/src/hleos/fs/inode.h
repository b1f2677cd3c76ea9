/* A mounted file system and its inodes in memory: what the files of fs/ share. */
#ifndef HLEOS_FS_INODE_H
#define HLEOS_FS_INODE_H

#include "fs/cache.h"
#include "fs/format.h"
#include "fs/fs.h"
#include "fs/log.h"

struct fs {
    struct disk *disk;
    struct hleos_fs_super super;
    struct cache cache;
    struct log log;
    struct sync_mutex names; /* held while the tree changes; lock order: log.h */
    struct sync_mutex alloc;
    uint32_t free_blocks; /* alloc; without those reserved for a call */
    uint32_t next_block;  /* alloc; where the next search begins */
    uint32_t next_inode;  /* names */
    struct sync_mutex inodes;
    struct queue_list held; /* inodes */
};

struct inode {
    struct fs *fs;
    uint32_t number;
    unsigned references;    /* fs->inodes */
    struct queue_link link; /* fs->inodes */
    struct sync_mutex mutex;
    bool loaded;                /* mutex */
    struct hleos_fs_inode disk; /* mutex */
};

/* Gets a reference to an inode; its type is not checked. 0, FS_CORRUPT, FS_NO_MEMORY. */
int inode_get(struct fs *fs, uint32_t number, struct inode **inode);

/* Takes the mutex, with the inode read from the disk; on an error it is not taken. */
int inode_lock(struct inode *inode) __attribute__((warn_unused_result));
void inode_unlock(struct inode *inode);

/* The functions below need a locked inode; those that change it, also log_begin(). */

/* Writes inode->disk to its block. */
int inode_update(struct inode *inode) __attribute__((warn_unused_result));
/* The block that holds file block `index`, 0 where there is a hole. With `make`, a hole is filled
 * with zeros; FS_NO_SPACE changes nothing. */
int inode_map(struct inode *inode, uint64_t index, bool make, uint32_t *block)
    __attribute__((warn_unused_result));
int64_t inode_read(struct inode *inode, uint64_t offset, void *bytes, size_t count)
    __attribute__((warn_unused_result));
/* At most INODE_WRITE_MAX bytes, so that the call fits in the log. */
int64_t inode_write(struct inode *inode, uint64_t offset, const void *bytes, size_t count)
    __attribute__((warn_unused_result));
int inode_resize(struct inode *inode, uint64_t size) __attribute__((warn_unused_result));

/* Frees an inode without links and references, and its blocks. Between log_begin() and
 * log_end(). */
int inode_erase(struct inode *inode) __attribute__((warn_unused_result));

enum { INODE_WRITE_MAX = 15 * HLEOS_FS_BLOCK }; /* it may touch 16 blocks */

#endif
