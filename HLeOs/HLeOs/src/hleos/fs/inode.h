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
    struct sync_mutex names; /* the tree changes under it: log.h has the order */
    struct sync_mutex alloc;
    uint32_t free_blocks; /* alloc; those promised to a call are not in it */
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

/* A reference to an inode; its type is not looked at. 0, FS_CORRUPT, FS_NO_MEMORY. */
int inode_get(struct fs *fs, uint32_t number, struct inode **inode);

/* Takes the mutex, with the inode read from the disk; on an error it is not taken. */
int inode_lock(struct inode *inode) __attribute__((warn_unused_result));
void inode_unlock(struct inode *inode);

/* What follows is for an inode that is locked; what changes it stands in a call of the log. */

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

/* An inode without links and references: frees it and its blocks. In a call of the log. */
int inode_erase(struct inode *inode) __attribute__((warn_unused_result));

enum { INODE_WRITE_MAX = 15 * HLEOS_FS_BLOCK }; /* it may touch 16 blocks */

#endif
