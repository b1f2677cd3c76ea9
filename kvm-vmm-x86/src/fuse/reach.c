/* Which of the host's files a guest can see; see reach.h. */
#include "fuse/reach.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

/* Through these file systems a guest could reach the VMM itself, or kernel data about other
 * programs. */
static const unsigned long machinery[] = {
    PROC_SUPER_MAGIC, SYSFS_MAGIC,        CGROUP_SUPER_MAGIC, CGROUP2_SUPER_MAGIC,
    DEBUGFS_MAGIC,    TRACEFS_MAGIC,      BPF_FS_MAGIC,       SECURITYFS_MAGIC,
    NSFS_MAGIC,       DEVPTS_SUPER_MAGIC, SELINUX_MAGIC,      PSTOREFS_MAGIC,
    EFIVARFS_MAGIC,   BINFMTFS_MAGIC,     AUTOFS_SUPER_MAGIC, 0x65735543 /* fusectl */,
    0x19800202 /* mqueue */};

bool fuse_reach_is_machinery(int fd)
{
    struct statfs info;

    if (fstatfs(fd, &info) < 0)
        return true;
    for (size_t i = 0; i < sizeof machinery / sizeof machinery[0]; i++)
        if ((unsigned long)info.f_type == machinery[i])
            return true;
    return false;
}

bool fuse_node_is_hidden(const struct fuse_nodes *nodes, dev_t dev, ino_t ino)
{
    for (unsigned i = 0; i < nodes->hidden_count; i++)
        if (nodes->hidden[i].dev == dev && nodes->hidden[i].ino == ino)
            return true;
    return false;
}

/* The folder is looked up each time: it may be created, removed or replaced while the guest runs.
 */
bool fuse_name_is_hidden(const struct fuse_nodes *nodes, const struct fuse_node *folder,
                         const char *name)
{
    struct stat status;

    for (unsigned i = 0; i < nodes->hidden_count; i++)
        if (nodes->hidden[i].name != NULL && strcmp(nodes->hidden[i].name, name) == 0 &&
            stat(nodes->hidden[i].folder, &status) == 0 && status.st_dev == folder->dev &&
            status.st_ino == folder->ino)
            return true;
    return false;
}

static struct timespec time_of(const struct statx_timestamp *time)
{
    return (struct timespec){.tv_sec = time->tv_sec, .tv_nsec = time->tv_nsec};
}

/* overlayfs changes a file's birth time when the file is first written, but keeps the inode. */
static bool births_stay(int fd)
{
    struct statfs info;

    return fstatfs(fd, &info) == 0 && info.f_type != OVERLAYFS_SUPER_MAGIC;
}

/* Only statx(2) returns a file's birth time. */
int fuse_reach_look_at(int folder, const char *name, struct fuse_found *found)
{
    struct statx about;

    if (statx(folder, name, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS | STATX_BTIME,
              &about) < 0)
        return -1;
    *found = (struct fuse_found){
        .status = {.st_dev = makedev(about.stx_dev_major, about.stx_dev_minor),
                   .st_ino = about.stx_ino,
                   .st_mode = about.stx_mode,
                   .st_nlink = about.stx_nlink,
                   .st_uid = about.stx_uid,
                   .st_gid = about.stx_gid,
                   .st_rdev = makedev(about.stx_rdev_major, about.stx_rdev_minor),
                   .st_size = (off_t)about.stx_size,
                   .st_blksize = about.stx_blksize,
                   .st_blocks = (blkcnt_t)about.stx_blocks,
                   .st_atim = time_of(&about.stx_atime),
                   .st_mtim = time_of(&about.stx_mtime),
                   .st_ctim = time_of(&about.stx_ctime)}};
    if (about.stx_mask & STATX_BTIME && births_stay(folder))
        found->birth = (uint64_t)about.stx_btime.tv_sec * 1000000000 + about.stx_btime.tv_nsec;
    return 0;
}

int fuse_reach_look(int fd, struct fuse_found *found)
{
    return fuse_reach_look_at(fd, "", found);
}

static int open_path(int folder, const char *name, struct fuse_found *found)
{
    int fd = openat(folder, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);

    if (fd < 0)
        return -errno;
    if (fuse_reach_look(fd, found) < 0) {
        int code = -errno;

        close(fd);
        return code;
    }
    return fd;
}

int fuse_reach_open(const struct fuse_nodes *nodes, const struct fuse_node *folder, int from,
                    const char *name, struct fuse_found *found)
{
    int fd = fuse_name_is_hidden(nodes, folder, name) ? -ENOENT : open_path(from, name, found);

    if (fd >= 0 && (fuse_node_is_hidden(nodes, found->status.st_dev, found->status.st_ino) ||
                    (found->status.st_dev != folder->dev && fuse_reach_is_machinery(fd)))) {
        close(fd);
        return -ENOENT;
    }
    return fd;
}
